import type { Json, JsonObject } from '../stage/json.ts';
import type { Store } from '../store/types.ts';
import type { DefaultsDocument } from './fingerprint.ts';
import type { Plan, PlannedStage } from './plan.ts';
import type { Fingerprint, StageNode } from './types.ts';
import { upstreamStages } from './upstream.ts';

/** How long stages of a kind took. */
export interface Recorded {
  readonly kind: string;
  /** With all defaults. */
  readonly config: JsonObject;
  /** Wall time of the stage's process. */
  readonly seconds: number;
}

export interface Estimate {
  /** By stage that would run; undefined where no stage of its kind was ever recorded. */
  readonly stages: ReadonlyMap<StageNode, number | undefined>;
  /** Seconds until the last stage ends, the unknown ones taken for nothing. */
  readonly seconds: number;
  readonly unknown: number;
}

/** Fields whose product is the work of a training stage: what it costs is proportional to it. */
const workFields = ['steps', 'batchSize'] as const;

/** Reads what the store has of stages of the plan's kinds; nothing if all are stored. */
export async function readRecorded(plan: Plan, store: Store): Promise<Recorded[]> {
  const kinds = new Set(
    plan.stages.filter(({ status }) => status !== 'hit').map(({ fingerprint }) => fingerprint.kind),
  );
  if (kinds.size === 0) return [];
  const recorded: Recorded[] = [];
  for (const key of store.keys()) {
    const fingerprint = await store.fingerprint(key);
    if (!fingerprint || !kinds.has(fingerprint.kind)) continue;
    const seconds = (await store.lookup(key))?.provenance.seconds;
    if (typeof seconds !== 'number') continue;
    recorded.push({ kind: fingerprint.kind, config: fullConfig(fingerprint, store), seconds });
  }
  return recorded;
}

/**
 * Time that a plan will take with so many processes: each stage as long as the most similar recorded one, in proportion
 * to its steps and batch size; stages start as the scheduler starts them, longest way to go first. A stage that may be
 * saved by early cut-off counts as if it ran.
 */
export function estimatePlan(plan: Plan, recorded: readonly Recorded[], jobs: number): Estimate {
  const open = plan.stages.filter(({ status }) => status !== 'hit');
  const stages = new Map(open.map((stage) => [stage.node, estimateStage(stage, recorded)]));
  const unknown = [...stages.values()].filter((seconds) => seconds === undefined).length;
  return { stages, unknown, seconds: simulate(stages, jobs) };
}

function estimateStage(
  { node, fingerprint }: PlannedStage,
  recorded: readonly Recorded[],
): number | undefined {
  const { config } = node.component;
  let best: { readonly distance: number; readonly seconds: number } | undefined;
  for (const one of recorded) {
    if (one.kind !== fingerprint.kind) continue;
    const ratios = workFields.map((field) => ratioOf(config[field], one.config[field]));
    const distance =
      ratios.reduce((sum, ratio) => sum + Math.abs(Math.log(ratio)), 0) + differingFields(config, one.config);
    if (best === undefined || distance < best.distance)
      best = { distance, seconds: ratios.reduce((seconds, ratio) => seconds * ratio, one.seconds) };
  }
  return best?.seconds;
}

/** Stages on so many processes, in simulated time. */
function simulate(stages: ReadonlyMap<StageNode, number | undefined>, jobs: number): number {
  const seconds = (node: StageNode) => stages.get(node) ?? 0;
  const open = [...stages.keys()];
  const ways = new Map(open.map((node) => [node, seconds(node)]));
  for (const node of open.toReversed()) {
    for (const upstream of upstreamStages(node)) {
      const way = ways.get(upstream);
      if (way !== undefined) ways.set(upstream, Math.max(way, seconds(upstream) + ways.get(node)!));
    }
  }
  const waiting = new Set([...open].sort((a, b) => ways.get(b)! - ways.get(a)!));
  const ends = new Map<StageNode, number>();
  const running: { readonly node: StageNode; readonly end: number }[] = [];
  let time = 0;
  while (waiting.size > 0 || running.length > 0) {
    for (const node of waiting) {
      if (running.length >= jobs) break;
      if (upstreamStages(node).some((upstream) => stages.has(upstream) && !ends.has(upstream))) continue;
      waiting.delete(node);
      running.push({ node, end: time + seconds(node) });
    }
    running.sort((a, b) => a.end - b.end);
    const next = running.shift();
    if (!next) break; // can't be: the graph has no cycles
    time = next.end;
    ends.set(next.node, time);
  }
  return time;
}

function ratioOf(now: Json | undefined, then: Json | undefined): number {
  return typeof now === 'number' && typeof then === 'number' && now > 0 && then > 0 ? now / then : 1;
}

function differingFields(a: JsonObject, b: JsonObject): number {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const field of workFields) names.delete(field);
  return [...names].filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name])).length;
}

/** The part that keys leave out goes where it belongs again, by its paths. */
function fullConfig({ config, defaults }: Fingerprint, store: Store): JsonObject {
  const document =
    defaults === undefined ? undefined : (store.documents.read(defaults) as unknown as DefaultsDocument);
  const full = structuredClone(config) as { [key: string]: Json };
  for (const [path, value] of Object.entries(document?.config ?? {})) {
    const [last, ...above] = path.split('.').toReversed();
    let place = full;
    for (const key of above.toReversed()) {
      place[key] ??= {};
      place = place[key] as { [key: string]: Json };
    }
    place[last!] = value;
  }
  return full;
}
