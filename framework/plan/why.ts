import type { JsonObject } from '../stage/json.ts';
import type { ContentKey, Fingerprint } from '../stage/keys.ts';
import { own } from '../stage/own.ts';
import { documentIn } from '../store/documents.ts';
import type { Entry, Store } from '../store/types.ts';
import { compareFingerprints, type Difference, type ReadDocument } from './differences.ts';
import type { Plan, PlannedStage } from './plan.ts';

/** The stored result that is most like what a stage would make, and in what it differs. */
export interface Nearest {
  readonly key: ContentKey;
  readonly fingerprint: Fingerprint;
  readonly differences: readonly Difference[];
  readonly entry: Entry;
}

/**
 * What a result was made for (config, data, seed, inputs) says more about which one it is than the code that made it: the
 * result of another variant with today's code is farther away than that of this variant with yesterday's.
 */
const meaningWeight = 10;
/** How many of the candidates that look nearest are compared in full. */
const comparedInFull = 8;

/**
 * Finds the nearest stored result of the same kind: the one with the fewest differences, of equal ones the newest.
 *
 * @param keys candidates; by default all that the store has
 */
export async function findNearest(
  planned: Pick<PlannedStage, 'fingerprint'>,
  plan: Pick<Plan, 'documents'>,
  store: Pick<Store, 'keys' | 'fingerprint' | 'lookup' | 'documents'>,
  keys: readonly ContentKey[] = store.keys(),
): Promise<Nearest | undefined> {
  const read = documentReader(plan, store);
  const candidates: { key: ContentKey; fingerprint: Fingerprint; rough: number }[] = [];
  for (const key of keys) {
    const fingerprint = await store.fingerprint(key);
    if (fingerprint?.kind !== planned.fingerprint.kind) continue;
    candidates.push({ key, fingerprint, rough: roughDistance(fingerprint, planned.fingerprint) });
  }
  candidates.sort((a, b) => a.rough - b.rough);
  const compared = candidates.slice(0, comparedInFull).map(({ key, fingerprint }) => ({
    key,
    fingerprint,
    differences: compareFingerprints(fingerprint, planned.fingerprint, read),
  }));
  const whole: Nearest[] = [];
  for (const one of compared) {
    const entry = await store.lookup(one.key);
    if (entry) whole.push({ ...one, entry });
  }
  const made = ({ entry }: Nearest) => String(entry.provenance.started ?? '');
  whole.sort((a, b) => weigh(a.differences) - weigh(b.differences) || (made(a) < made(b) ? 1 : -1));
  return whole[0];
}

/** Documents of the plan first, then those that the store kept. */
export function documentReader(plan: Pick<Plan, 'documents'>, store: Pick<Store, 'documents'>): ReadDocument {
  return (digest) => documentIn(plan.documents, digest) ?? store.documents.read(digest);
}

/** Without opening documents: how many parts of the fingerprints are not the same. */
function roughDistance(a: Fingerprint, b: Fingerprint): number {
  let meaning = 0;
  if (a.seed !== b.seed) meaning += 1;
  if (a.until !== b.until) meaning += 1;
  if (JSON.stringify(a.files) !== JSON.stringify(b.files)) meaning += 1;
  meaning += countDifferent(a.config, b.config) + countDifferent(a.inputs, b.inputs);
  return meaning * meaningWeight + (a.code === b.code ? 0 : 1);
}

function countDifferent(a: JsonObject, b: JsonObject): number {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].filter((name) => JSON.stringify(own(a, name)) !== JSON.stringify(own(b, name))).length;
}

/** Many files of one data set, or of the code, are one change. */
function weigh(differences: readonly Difference[]): number {
  const groups = new Map<string, number>();
  for (const { type, input, path } of differences) {
    const isCode = type === 'code' || type === 'package';
    const group = isCode || type === 'data' ? `${type} ${input}` : `${type} ${input} ${path}`;
    groups.set(group, isCode ? 1 : meaningWeight);
  }
  return [...groups.values()].reduce((sum, weight) => sum + weight, 0);
}
