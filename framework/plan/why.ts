import type { Store } from '../store/types.ts';
import { compareFingerprints, type Difference, type ReadDocument } from './differences.ts';
import type { Plan, PlannedStage } from './plan.ts';
import type { ContentKey, Fingerprint } from './types.ts';

/** The stored result that is most like what a stage would make, and in what it differs. */
export interface Nearest {
  readonly key: ContentKey;
  readonly fingerprint: Fingerprint;
  readonly differences: readonly Difference[];
}

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
  store: Store,
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
  const made = new Map<ContentKey, string>();
  for (const { key } of compared) {
    const entry = await store.lookup(key);
    if (entry) made.set(key, String(entry.provenance.started ?? ''));
  }
  const whole = compared.filter(({ key }) => made.has(key));
  whole.sort(
    (a, b) => weigh(a.differences) - weigh(b.differences) || (made.get(a.key)! < made.get(b.key)! ? 1 : -1),
  );
  return whole[0];
}

/** Documents of the plan first, then those that the store kept. */
export function documentReader(plan: Pick<Plan, 'documents'>, store: Pick<Store, 'documents'>): ReadDocument {
  return (digest) => plan.documents.get(digest) ?? store.documents.read(digest);
}

/** Without opening documents: how many parts of the fingerprints are not the same. */
function roughDistance(a: Fingerprint, b: Fingerprint): number {
  let distance = 0;
  if (a.code !== b.code) distance += 1;
  if (a.seed !== b.seed) distance += 1;
  if (a.defaults !== b.defaults) distance += 1;
  if (JSON.stringify(a.files) !== JSON.stringify(b.files)) distance += 1;
  const names = new Set([...Object.keys(a.config), ...Object.keys(b.config)]);
  for (const name of names)
    if (JSON.stringify(a.config[name]) !== JSON.stringify(b.config[name])) distance += 1;
  for (const name of new Set([...Object.keys(a.inputs), ...Object.keys(b.inputs)])) {
    if (JSON.stringify(a.inputs[name]) !== JSON.stringify(b.inputs[name])) distance += 1;
  }
  return distance;
}

/** Many files of one data set, or of the code, are one change. */
function weigh(differences: readonly Difference[]): number {
  const groups = new Set(
    differences.map(({ type, input, path }) =>
      type === 'data' || type === 'code' ? `${type} ${input}` : `${type} ${input} ${path}`,
    ),
  );
  return groups.size;
}
