import type { RecordedRun } from '../run/record/records.ts';
import { PecoError } from '../stage/errors.ts';
import type { StoredEntry } from '../store/inventory.ts';
import type { Store } from '../store/store.ts';

/** Shortest start of a key that names an entry. */
const shortestKey = 6;
const mostNamesTold = 5;

/**
 * The run or the entry that a word names: a run's id or a unique start of it, `last`, or the start of a key.
 *
 * @param other what else the user may name, for the hint: `, or the path of a file`
 * @throws PecoError `unknown-name` or `ambiguous-name` with near names
 */
export function findNamed(
  what: string,
  runs: readonly RecordedRun[],
  store: Store,
  other = '',
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
  if (matches.length === 0) throw unknown(what, runs, store, other);
  const names = matches.map((match) => ('record' in match ? match.record.id : match.key));
  throw new PecoError(`"${what}" may be any of ${matches.length}`, {
    code: 'ambiguous-name',
    hint: `give more of it: ${listNames(names)}`,
  });
}

function unknown(what: string, runs: readonly RecordedRun[], store: Store, other: string): PecoError {
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
      : `give a run's id, a unique start of it, last, or ${shortestKey} and more digits of a key${other}; peco-exp show lists them`;
  return new PecoError(`no run and no stored result is called "${what}"`, { code: 'unknown-name', hint });
}

function listNames(names: readonly string[]): string {
  const told = names.slice(0, mostNamesTold).map((name) => (name.length === 64 ? name.slice(0, 12) : name));
  return [...told, ...(names.length > told.length ? ['...'] : [])].join(', ');
}
