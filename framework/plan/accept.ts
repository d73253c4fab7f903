import fs from 'node:fs/promises';
import path from 'node:path';
import { PecoError } from '../stage/errors.ts';
import type { Json } from '../stage/json.ts';
import type { Entry, Store } from '../store/types.ts';
import type { LocatedStage } from './plan.ts';
import type { Nearest } from './why.ts';

/**
 * Publishes a stored result under the key of a stage that would run: somebody says that what differs doesn't matter.
 * The new entry's provenance keeps that of the result, and records whence it came and what was accepted.
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
