import type { Json, JsonObject } from '../stage/json.ts';
import type { Store } from '../store/types.ts';
import type { DefaultsDocument } from './fingerprint.ts';
import type { Plan } from './plan.ts';
import { mayRun } from './status.ts';
import type { Fingerprint } from './types.ts';

/** What a stage took. */
export interface Recorded {
  readonly kind: string;
  /** With all defaults. */
  readonly config: JsonObject;
  /** Wall time of the stage's process. */
  readonly seconds: number;
  /** The most memory that its process took, in MiB; absent where it wasn't measured. */
  readonly memory?: number;
}

/** Fields whose product is the work of a training stage: what it costs is proportional to it. */
const workFields = ['steps', 'batchSize'] as const;

/** Reads what the store has of stages of the plan's kinds; nothing if none of them may run. */
export async function readRecorded(plan: Plan, store: Store): Promise<Recorded[]> {
  const kinds = new Set(plan.stages.filter(mayRun).map(({ fingerprint }) => fingerprint.kind));
  if (kinds.size === 0) return [];
  const recorded: Recorded[] = [];
  for (const key of store.keys()) {
    const fingerprint = await store.fingerprint(key);
    if (!fingerprint || !kinds.has(fingerprint.kind)) continue;
    const entry = await store.lookup(key);
    const one = entry && recordedOf(fingerprint.kind, fullConfig(fingerprint, store), entry.provenance);
    if (one) recorded.push(one);
  }
  return recorded;
}

/** What an entry's provenance says of it; undefined if not even the time. */
export function recordedOf(kind: string, config: JsonObject, provenance: JsonObject): Recorded | undefined {
  const { seconds, peakMemory } = provenance;
  if (typeof seconds !== 'number') return undefined;
  return { kind, config, seconds, ...(typeof peakMemory === 'number' ? { memory: peakMemory } : {}) };
}

/** The recorded stage of a kind whose config differs least, with the ratios of what a stage of this config has to do. */
export function mostSimilar(
  kind: string,
  config: JsonObject,
  recorded: readonly Recorded[],
): { readonly recorded: Recorded; readonly ratios: readonly number[] } | undefined {
  let best: { readonly distance: number; readonly recorded: Recorded; readonly ratios: number[] } | undefined;
  for (const one of recorded) {
    if (one.kind !== kind) continue;
    const ratios = workFields.map((field) => ratioOf(config[field], one.config[field]));
    const distance =
      ratios.reduce((sum, ratio) => sum + Math.abs(Math.log(ratio)), 0) + differingFields(config, one.config);
    if (best === undefined || distance < best.distance) best = { distance, recorded: one, ratios };
  }
  return best;
}

/** MiB that a stage may take, going by the most similar recorded one; undefined if there is none of its kind. */
export function memoryLike(
  kind: string,
  config: JsonObject,
  recorded: readonly Recorded[],
): number | undefined {
  const measured = recorded.filter(({ memory }) => memory !== undefined);
  const like = mostSimilar(kind, config, measured);
  // More images at once take more, at most in proportion; weights don't shrink with them.
  return like && like.recorded.memory! * Math.max(1, like.ratios[workFields.indexOf('batchSize')]!);
}

function ratioOf(now: Json | undefined, then: Json | undefined): number {
  return typeof now === 'number' && typeof then === 'number' && now > 0 && then > 0 ? now / then : 1;
}

function differingFields(a: JsonObject, b: JsonObject): number {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  // A seed changes nothing in what a stage costs.
  for (const field of [...workFields, 'seed']) names.delete(field);
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
