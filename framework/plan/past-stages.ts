import type { Costs } from '../stage/costs.ts';
import type { Json, JsonObject } from '../stage/json.ts';
import type { Store } from '../store/types.ts';
import { costsFromJson } from './costs.ts';
import type { Plan } from './plan.ts';
import { mayRun } from './types.ts';

/** What a stage took. */
export interface Recorded {
  readonly kind: string;
  /** With all defaults. */
  readonly config: JsonObject;
  /** Wall time of the stage's process. */
  readonly seconds: number;
  /** The most memory that its process took, in MiB; absent where it wasn't measured. */
  readonly memory?: number;
  readonly engine?: string;
  readonly threads?: number;
  /** What it computed; absent where its component doesn't say. */
  readonly costs?: Costs;
}

/** Fields that say how much a training stage computes, and so what it costs. */
const workFields = ['steps', 'epochs', 'batchSize'] as const;

/** Reads what the store has of stages of the plan's kinds; nothing if none of them may run. */
export async function readRecorded(plan: Plan, store: Store): Promise<Recorded[]> {
  const kinds = new Set(plan.stages.filter(mayRun).map(({ fingerprint }) => fingerprint.kind));
  if (kinds.size === 0) return [];
  const isSmoke = plan.graph.changes.some(({ by }) => by === 'smoke');
  const recorded: Recorded[] = [];
  for (const key of store.keys()) {
    const fingerprint = await store.fingerprint(key);
    if (!fingerprint || !kinds.has(fingerprint.kind)) continue;
    const entry = await store.lookup(key);
    // Those of smoke runs have sizes of their own.
    if (!entry || (entry.provenance.smoke === true) !== isSmoke) continue;
    const one = recordedOf(fingerprint.kind, entry.provenance);
    if (one) recorded.push(one);
  }
  return recorded;
}

/** What an entry's provenance says of it; undefined if not even the time. */
export function recordedOf(kind: string, provenance: JsonObject): Recorded | undefined {
  const { config, seconds, peakMemory, engine, threads } = provenance;
  const costs = costsFromJson(provenance.costs);
  if (typeof seconds !== 'number' || typeof config !== 'object' || config === null) return undefined;
  return {
    kind,
    config: config as JsonObject,
    seconds,
    ...(typeof peakMemory === 'number' ? { memory: peakMemory } : {}),
    ...(typeof engine === 'string' ? { engine } : {}),
    ...(typeof threads === 'number' ? { threads } : {}),
    ...(costs === undefined ? {} : { costs }),
  };
}

interface Similar {
  readonly distance: number;
  /** Whether the configs differ in nothing but how much there is to do. */
  readonly isSame: boolean;
  readonly recorded: Recorded;
  /** Of what a stage of this config has to do to what the recorded one had. */
  readonly work: number;
  /** The same for the images that are in memory at once. */
  readonly atOnce: number;
}

/**
 * The recorded stage of a kind whose config differs least, the first of equals. None that counts steps where this one
 * counts epochs, or the other way around: configs don't say how many steps an epoch has.
 */
export function mostSimilar(
  kind: string,
  config: JsonObject,
  recorded: readonly Recorded[],
): Similar | undefined {
  return nearest(
    config,
    recorded.filter((one) => one.kind === kind && 'epochs' in one.config === 'epochs' in config),
  );
}

function nearest(config: JsonObject, recorded: readonly Recorded[], before?: Similar): Similar | undefined {
  let best = before;
  for (const one of recorded) {
    const then = one.config;
    const ratio = (field: (typeof workFields)[number]) => ratioOf(config[field], then[field]);
    const differing = differingFields(config, then);
    const distance = workFields.reduce((sum, field) => sum + Math.abs(Math.log(ratio(field))), 0) + differing;
    if (best !== undefined && distance >= best.distance) continue;
    // An epoch has the same images, however many are in a batch.
    const work = 'epochs' in config ? ratio('epochs') : ratio('steps') * ratio('batchSize');
    const atOnce = ratioOf(config.microBatch ?? config.batchSize, then.microBatch ?? then.batchSize);
    best = { distance, isSame: differing === 0, recorded: one, work, atOnce };
  }
  return best;
}

/** What stages were measured to take; a run adds its own. */
export interface Measured {
  add(one: Recorded): void;
  /** MiB that a stage may take, going by the most similar measured one; undefined if there is none of its kind. */
  memoryLike(kind: string, config: JsonObject): number | undefined;
}

/**
 * Remembers for each config how far it was compared. A scheduler asks for every stage that is ready whenever one ends, and a
 * sweep has thousands.
 */
export function createMeasured(recorded: readonly Recorded[]): Measured {
  const byKind = new Map<string, Recorded[]>();
  const compared = new WeakMap<JsonObject, { count: number; best: Similar | undefined }>();
  const add = (one: Recorded) => {
    if (one.memory === undefined) return;
    const list = byKind.get(one.kind);
    if (list) list.push(one);
    else byKind.set(one.kind, [one]);
  };
  for (const one of recorded) add(one);
  return {
    add,
    memoryLike(kind, config) {
      const all = byKind.get(kind) ?? [];
      const { count, best } = compared.get(config) ?? { count: 0, best: undefined };
      const like = nearest(config, all.slice(count), best);
      compared.set(config, { count: all.length, best: like });
      // More images at once take more, at most in proportion; weights don't shrink with them.
      return like && like.recorded.memory! * Math.max(1, like.atOnce);
    },
  };
}

function ratioOf(now: Json | undefined, then: Json | undefined): number {
  return typeof now === 'number' && typeof then === 'number' && now > 0 && then > 0 ? now / then : 1;
}

function differingFields(a: JsonObject, b: JsonObject): number {
  const [ours, theirs] = [fieldTexts(a), fieldTexts(b)];
  let differing = 0;
  for (const [name, text] of ours) if (theirs.get(name) !== text) differing++;
  for (const name of theirs.keys()) if (!ours.has(name)) differing++;
  return differing;
}

const texts = new WeakMap<JsonObject, ReadonlyMap<string, string>>();

/** Fields as JSON, but those of the work and the seed, which changes nothing in what a stage costs. */
function fieldTexts(config: JsonObject): ReadonlyMap<string, string> {
  let found = texts.get(config);
  if (!found) {
    const fields = Object.entries(config).filter(([name]) => ![...workFields, 'seed'].includes(name));
    found = new Map(fields.map(([name, value]) => [name, JSON.stringify(value)]));
    texts.set(config, found);
  }
  return found;
}
