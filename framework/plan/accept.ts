import fs from 'node:fs/promises';
import path from 'node:path';
import { PecoError } from '../stage/errors.ts';
import type { Json, JsonObject } from '../stage/json.ts';
import type { ContentKey } from '../stage/keys.ts';
import type { Entry, Store } from '../store/types.ts';
import type { Difference } from './differences.ts';
import type { LocatedStage } from './locate.ts';
import type { Nearest } from './why.ts';

/** What an entry that was made by accepting another result says of that. */
export interface Accepted {
  readonly from: ContentKey;
  /** ISO 8601. */
  readonly at: string;
  readonly differences: readonly Difference[];
}

/** Undefined for a result that a stage made for its own key. */
export function acceptedOf(provenance: JsonObject): Accepted | undefined {
  const { accepted } = provenance;
  if (typeof accepted !== 'object' || accepted === null || Array.isArray(accepted)) return undefined;
  const { from, at, differences } = accepted as JsonObject;
  const listed = Array.isArray(differences) ? (differences as unknown as readonly Difference[]) : [];
  return {
    from: String(from) as ContentKey,
    at: String(at),
    // JSON has no undefined: null stands for "not there".
    differences: listed.map((one) => ({
      ...one,
      before: one.before ?? undefined,
      after: one.after ?? undefined,
    })),
  };
}

/**
 * Commits a stored result under the key of a stage that would run: its user says that what differs doesn't matter. The
 * new entry's provenance keeps that of the result, and records where it came from and what was accepted.
 *
 * @throws PecoError `missing-entry` if the result is gone or damaged
 */
export async function acceptStage(stage: LocatedStage, nearest: Nearest, store: Store): Promise<Entry> {
  const source = await store.lookup(nearest.key);
  if (!source) {
    throw new PecoError(`the stored result ${nearest.key.slice(0, 12)} is gone`, {
      code: 'missing-entry',
      hint: 'run the stage',
    });
  }
  const outDir = await store.newOutDir();
  for (const { path: file } of source.outputs) {
    const target = path.join(outDir, file);
    await fs.mkdir(path.dirname(target), { recursive: true });
    await fs.copyFile(path.join(source.dir, file), target, fs.constants.COPYFILE_FICLONE);
    await fs.chmod(target, 0o644);
  }
  const accepted: Json = {
    from: nearest.key,
    at: new Date().toISOString(),
    differences: nearest.differences.map(({ before, after, ...rest }) => ({
      ...rest,
      before: before ?? null,
      after: after ?? null,
    })) as unknown as Json,
  };
  store.documents.save(stage.documents);
  const unlock = await store.lock(stage.contentKey);
  try {
    return await store.commit(stage.contentKey, {
      outDir,
      fingerprint: stage.fingerprint,
      provenance: { ...source.provenance, accepted },
    });
  } finally {
    await unlock();
  }
}
