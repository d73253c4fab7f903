import { readMetrics } from '../plan/compare.ts';
import { listRuns, type RecordedRun, readEvents } from '../run/records.ts';
import { PecoError } from '../stage/errors.ts';
import { bytesOf, type Inventory, type StoredEntry, takeInventory } from '../store/contents.ts';
import { openStore, type Store } from '../store/store.ts';
import { formatPath } from './format.ts';
import { findSettings, type ProjectFlags } from './project.ts';
import { formatEntry } from './render/entry.ts';
import { createLineRenderer } from './render/lines.ts';
import { formatInventory, formatRunEnd, formatRunHead, formatRuns } from './render/show.ts';

export interface ShowFlags extends ProjectFlags {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Shortest start of a key that names an entry. */
const shortestKey = 6;
const mostNamesTold = 5;

/**
 * `peco-exp show`: the runs and what the store holds. `show RUN` replays a run, `show KEY` tells about one result.
 *
 * @throws PecoError `unknown-name` or `ambiguous-name` if the word names nothing, or several
 */
export async function showCommand(what: string | undefined, flags: ShowFlags): Promise<number> {
  const cwd = process.cwd();
  const settings = await findSettings(cwd, { flags, env: process.env, cwd });
  const store = openStore(settings.store.value);
  const runs = listRuns(store.dir);
  if (what === undefined) {
    print(
      flags.json
        ? [JSON.stringify(describeStore(runs, await takeInventory(store)))]
        : await tellStore(store, runs, flags),
    );
    return 0;
  }
  const found = findNamed(what, runs, store);
  if ('record' in found) print(flags.json ? rawEvents(found) : replay(found, flags));
  else print(await tellEntry(found.key, store, flags));
  return 0;
}

function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

async function tellStore(store: Store, runs: readonly RecordedRun[], flags: ShowFlags): Promise<string[]> {
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
    })),
    damaged,
    bytes: bytesOf(entries),
  };
}

/** The run or the entry that a word names. */
function findNamed(
  what: string,
  runs: readonly RecordedRun[],
  store: Store,
): RecordedRun | { readonly key: StoredEntry['key'] } {
  if (what === 'last') {
    const last = runs.at(-1);
    if (last) return last;
    throw new PecoError('no run is recorded in this store yet', {
      code: 'unknown-name',
      hint: `looked in ${store.dir}`,
    });
  }
  const exact = runs.find(({ record }) => record.id === what);
  if (exact) return exact;
  const isKey = /^[0-9a-f]+$/.test(what) && what.length >= shortestKey;
  const keys = isKey ? store.keys().filter((key) => key.startsWith(what)) : [];
  const matches = [
    ...runs.filter(({ record }) => record.id.startsWith(what)),
    ...keys.map((key) => ({ key })),
  ];
  if (matches.length === 1) return matches[0]!;
  if (matches.length === 0) throw unknown(what, runs, store);
  const names = matches.map((match) => ('record' in match ? match.record.id : match.key));
  throw new PecoError(`"${what}" may be any of ${matches.length}`, {
    code: 'ambiguous-name',
    hint: `give more of it: ${listNames(names)}`,
  });
}

function unknown(what: string, runs: readonly RecordedRun[], store: Store): PecoError {
  // Of names so long the nearest is the one with the longest common start, or that holds the word.
  const names = runs.map(({ record }) => record.id);
  const holding = names.filter((name) => name.includes(what));
  const shares = (name: string) => {
    let same = 0;
    while (same < what.length && name[same] === what[same]) same++;
    return same;
  };
  const ids = [...names, ...store.keys()];
  const longest = Math.max(0, ...ids.map(shares));
  const near = holding.length > 0 ? holding : longest < 4 ? [] : ids.filter((id) => shares(id) === longest);
  const hint =
    near.length > 0
      ? `did you mean ${listNames(near.toReversed())}?`
      : `give a run's id, a unique start of it, last, or ${shortestKey} and more digits of a key; peco-exp show lists them`;
  return new PecoError(`no run and no stored result is called "${what}"`, { code: 'unknown-name', hint });
}

function listNames(names: readonly string[]): string {
  const told = names.slice(0, mostNamesTold).map((name) => (name.length === 64 ? name.slice(0, 12) : name));
  return [...told, ...(names.length > told.length ? ['...'] : [])].join(', ');
}

/** The run as it was shown where output is no terminal. */
function replay(run: RecordedRun, flags: ShowFlags): string[] {
  const lines: string[] = [];
  const renderer = createLineRenderer({
    verbose: flags.verbose ?? false,
    write: (text) => lines.push(text.replace(/\n$/, '')),
  });
  const events = readEvents(run.dir);
  for (const event of events) renderer.show(event);
  return [...formatRunHead(run), '', ...lines, '', ...formatRunEnd(run, events, formatPath)];
}

function rawEvents(run: RecordedRun): string[] {
  return readEvents(run.dir).map((event) => JSON.stringify(event));
}

async function tellEntry(key: StoredEntry['key'], store: Store, flags: ShowFlags): Promise<string[]> {
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
