import path from 'node:path';
import type { Plan } from '../../plan/plan.ts';
import { findSettings, requireStore } from '../../settings/project.ts';
import { Records } from '../../slurm/records.ts';
import { findUse } from '../../slurm/status.ts';
import { PecoError } from '../../stage/errors.ts';
import type { ContentKey } from '../../stage/keys.ts';
import { openStore, type Store } from '../../store/store.ts';
import type { CollectedEntry, Collection, CollectOptions } from '../../store/types.ts';
import { type ExperimentFlags, prepareExperiment, warnOnStderr } from '../prepare.ts';
import { printLines } from '../print.ts';
import { count, formatBytes, formatDays } from '../text/format.ts';

export interface GcFlags extends ExperimentFlags {
  /** Milliseconds. */
  readonly olderThan?: number;
  /** Bytes. */
  readonly maxSize?: number;
  readonly all?: boolean;
  readonly work?: boolean;
  readonly dryRun?: boolean;
}

const mostShown = 5;

/** `peco-exp gc [FILES...]`: removes stored results that none of the experiments reach. Returns the exit code. */
export async function gcCommand(files: readonly string[], flags: GcFlags): Promise<number> {
  checkUsage(files, flags);
  const { store, plans } = files.length > 0 ? await planAll(files, flags) : await openSetStore(flags);
  const { olderThan, maxSize, work, dryRun } = flags;
  const usedSince = await findUse(new Records(store.dir));
  const collection = await store.collect({
    ...(usedSince === undefined ? {} : { usedSince }),
    ...(files.length > 0 ? await reach(store, plans) : {}),
    ...(olderThan === undefined ? {} : { olderThan }),
    ...(maxSize === undefined ? {} : { maxSize }),
    ...(work === undefined ? {} : { work }),
    ...(dryRun === undefined ? {} : { dryRun }),
  });
  await store.flush();
  const shown = path.relative(process.cwd(), store.dir) || '.';
  printLines(
    flags.json
      ? [JSON.stringify({ store: store.dir, dryRun: dryRun ?? false, ...collection })]
      : formatCollection(collection, { store: shown, dryRun: dryRun ?? false, now: Date.now() }),
  );
  return 0;
}

/** Nothing is removed by a command that names nothing. */
function checkUsage(files: readonly string[], flags: GcFlags): void {
  const limited = flags.olderThan !== undefined || flags.maxSize !== undefined;
  if (files.length === 0 && !limited && !flags.all) {
    throw new PecoError('gc needs to know what to keep', {
      code: 'usage',
      hint: 'name the experiment files whose results stay, or give --older-than 30d, --max-size 20GB, or --all',
    });
  }
  if (flags.all && (files.length > 0 || limited)) {
    throw new PecoError('--all removes every result: it goes with no experiment files and no limits', {
      code: 'usage',
      hint: 'leave it out to keep what the files reach',
    });
  }
}

async function planAll(
  files: readonly string[],
  flags: GcFlags,
): Promise<{ readonly store: Store; readonly plans: readonly Plan[] }> {
  const plans: Plan[] = [];
  let store: Store | undefined;
  for (const file of files) {
    const prepared = await prepareExperiment(file, flags, warnOnStderr);
    if (store !== undefined && prepared.store.dir !== store.dir) {
      throw new PecoError(
        `${file} has another store (${prepared.store.dir}) than ${files[0]} (${store.dir})`,
        {
          code: 'usage',
          hint: 'collect one store at a time, or say which with --store',
        },
      );
    }
    store = prepared.store;
    plans.push(prepared.plan);
  }
  return { store: store!, plans };
}

async function openSetStore(
  flags: GcFlags,
): Promise<{ readonly store: Store; readonly plans: readonly Plan[] }> {
  const cwd = process.cwd();
  const { store } = await findSettings(cwd, { flags, env: process.env, cwd });
  requireStore(store);
  return { store: openStore(store.value, { from: store.from, onWarning: warnOnStderr }), plans: [] };
}

/**
 * What the stages of some plans have, or may have. Of a stage whose upstream has not run only its kind and seed say
 * which results it may find again: all of those stay.
 */
async function reach(store: Store, plans: readonly Plan[]): Promise<CollectOptions> {
  const keep = new Set<ContentKey>();
  const keepWork = new Set<ContentKey>();
  const open = new Set<string>();
  for (const { node, contentKey, entry } of plans.flatMap(({ stages }) => stages)) {
    // A stage that has its result needs no work folder.
    if (entry === undefined && contentKey !== undefined) keepWork.add(contentKey);
    const key = entry?.key ?? contentKey;
    if (key !== undefined) keep.add(key);
    else open.add(`${node.component.role}/${node.component.kind} ${node.seed}`);
  }
  if (open.size > 0) {
    for (const key of store.keys()) {
      const fingerprint = await store.fingerprint(key);
      if (fingerprint && open.has(`${fingerprint.kind} ${fingerprint.seed}`)) keep.add(key);
    }
  }
  return { keep, keepWork };
}

/** What was removed, for people: counts, bytes, the largest few. */
export function formatCollection(
  collection: Collection,
  options: { readonly store: string; readonly dryRun: boolean; readonly now: number },
): string[] {
  const { kept, removed, inUse, objects, documents, work, leftovers, logs, freed } = collection;
  const parts = [
    count(removed.length, 'result'),
    ...(objects > 0 ? [count(objects, 'object')] : []),
    ...(documents > 0 ? [count(documents, 'document')] : []),
    ...(work > 0 ? [count(work, 'work folder')] : []),
    ...(leftovers > 0 ? [count(leftovers, 'leftover')] : []),
    ...(logs > 0 ? [count(logs, 'log')] : []),
  ];
  const lines = [
    `${options.dryRun ? 'would remove' : 'removed'} ${parts.join(' · ')}: ${formatBytes(freed)} ${options.dryRun ? 'would be' : 'are'} free`,
    ...formatLargest(removed, options.now),
    `kept ${count(kept.entries, 'result')} (${formatBytes(kept.bytes)}) in ${options.store}`,
  ];
  if (inUse.length > 0)
    lines.push(`left ${count(inUse.length, 'result')} alone that a run may be using now: try again later`);
  return lines;
}

function formatLargest(removed: readonly CollectedEntry[], now: number): string[] {
  const sorted = [...removed].sort(
    (a, b) => b.size - a.size || (`${a.kind} ${a.key}` < `${b.kind} ${b.key}` ? -1 : 1),
  );
  const lines = sorted.slice(0, mostShown).map(({ key, kind = 'unknown', size, lastUse }) => {
    return `  ${formatBytes(size).padStart(9)}  ${kind}  ${key.slice(0, 12)}  last used ${formatDays(now - lastUse)}`;
  });
  const rest = sorted.length - mostShown;
  return rest > 0 ? [...lines, `  and ${rest} more`] : lines;
}
