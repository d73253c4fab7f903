import { acceptedOf } from '../../plan/accept.ts';
import { readMetrics } from '../../plan/compare.ts';
import type { RecordedRun } from '../../run/record/records.ts';
import { findSettings, type ProjectFlags, requireStore } from '../../settings/project.ts';
import { listAllRuns, readAllEvents } from '../../slurm/runs.ts';
import { PecoError } from '../../stage/errors.ts';
import { bytesOf, type Inventory, type StoredEntry, takeInventory } from '../../store/inventory.ts';
import { openStore, type Store } from '../../store/store.ts';
import { findNamed } from '../find-named.ts';
import { outputLook, printLines } from '../print.ts';
import { createLineRenderer } from '../progress/lines.ts';
import { formatEntry } from '../text/entry.ts';
import { formatPath } from '../text/format.ts';
import { formatInventory, formatRunEnd, formatRunHead, formatRuns } from '../text/show.ts';

export interface ShowFlags extends ProjectFlags {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/**
 * `peco-exp show`: the runs and what the store holds. `show RUN` replays a run, `show KEY` describes one result.
 *
 * @throws PecoError `unknown-name` or `ambiguous-name` if the word names nothing, or several; `usage` if a store was named
 *   that isn't there
 */
export async function showCommand(what: string | undefined, flags: ShowFlags): Promise<number> {
  const cwd = process.cwd();
  const settings = await findSettings(cwd, { flags, env: process.env, cwd });
  // Before the first run a project has none; one that this command names is misspelt.
  if (settings.store.from === '--store') requireStore(settings.store);
  const store = openStore(settings.store.value, { from: settings.store.from });
  const runs = await listAllRuns(store.dir);
  if (what === undefined) {
    printLines(
      flags.json
        ? [JSON.stringify(describeStore(runs, await takeInventory(store)))]
        : await listStore(store, runs, flags),
    );
    return 0;
  }
  const found = findNamed(what, runs, store);
  if ('record' in found) printLines(flags.json ? await rawEvents(found) : await replay(found, flags));
  else printLines(await describeEntry(found.key, store, flags));
  return 0;
}

async function listStore(store: Store, runs: readonly RecordedRun[], flags: ShowFlags): Promise<string[]> {
  const options = { now: Date.now(), verbose: flags.verbose ?? false };
  const shown = formatPath(store.dir);
  return [
    ...formatRuns(runs, shown, options),
    '',
    ...formatInventory(await takeInventory(store), shown, options),
  ];
}

function describeStore(runs: readonly RecordedRun[], { entries, damaged }: Inventory) {
  return {
    runs: runs.map(({ record, status }) => ({ ...record, status })),
    entries: entries.map((entry) => ({
      key: entry.key,
      kind: entry.kind,
      bytes: bytesOf([entry]),
      ended: entry.provenance.ended ?? entry.provenance.started ?? null,
      accepted: acceptedOf(entry.provenance)?.from ?? null,
    })),
    damaged,
    bytes: bytesOf(entries),
  };
}

/** The run as it was shown where output is no terminal. */
async function replay(run: RecordedRun, flags: ShowFlags): Promise<string[]> {
  const lines: string[] = [];
  const renderer = createLineRenderer({
    ...{ verbose: flags.verbose ?? false, look: outputLook() },
    write: (text) => lines.push(text.replace(/\n$/, '')),
  });
  const events = await readAllEvents(run);
  for (const event of events) renderer.show(event);
  return [
    ...formatRunHead(run, { verbose: flags.verbose ?? false }),
    '',
    ...lines,
    '',
    ...formatRunEnd(run, events, formatPath),
  ];
}

async function rawEvents(run: RecordedRun): Promise<string[]> {
  return (await readAllEvents(run)).map((event) => JSON.stringify(event));
}

async function describeEntry(key: StoredEntry['key'], store: Store, flags: ShowFlags): Promise<string[]> {
  const { entries } = await takeInventory({
    dir: store.dir,
    keys: () => [key],
    fingerprint: (wanted) => store.fingerprint(wanted),
  });
  const entry = entries[0];
  if (!entry) {
    throw new PecoError(
      `the stored result ${key.slice(0, 12)} is damaged: its manifest is missing or broken`,
      {
        code: 'damaged-entry',
        hint: 'the next run that needs it makes it again',
      },
    );
  }
  const metrics = readMetrics(entry);
  const document = entry.fingerprint ? store.documents.read(entry.fingerprint.code) : undefined;
  if (flags.json) {
    const { kind, fingerprint, outputs, provenance } = entry;
    return [JSON.stringify({ key, kind, metrics, outputs, provenance, fingerprint, code: document ?? null })];
  }
  const code = document as { readonly code: { readonly [file: string]: string } } | undefined;
  const files = code === undefined ? undefined : Object.keys(code.code);
  const shown = formatPath(entry.dir);
  return formatEntry({ entry, metrics, files, shown }, { now: Date.now(), verbose: flags.verbose ?? false });
}
