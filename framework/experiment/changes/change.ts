import { canonicalJson } from '../../stage/canonical.ts';
import type { Json } from '../../stage/json.ts';
import type { SweptFlags } from './flags.ts';

/** How a run's experiment differs from the one that its file declares. */
export interface Change {
  readonly by: 'set' | 'seeds' | 'tasks' | 'sweep' | 'smoke';
  readonly path: string;
  /** What the file says; null where the field isn't written. Absent for a sweep. */
  readonly from?: Json;
  /** The value; of a sweep the list of its values. */
  readonly to: Json;
}

/** Each component at the smallest size that it declares itself. */
export const smokeChange: Change = { by: 'smoke', path: 'smoke', to: true };

/** A change by `--set`, `--tasks` or a flag for one field; `from` is null where the field wasn't there. */
export interface Override {
  /** The flag, without its dashes; absent: `--set`. */
  readonly flag?: string;
  readonly path: string;
  readonly from: Json;
  readonly to: Json;
  /** The outermost field above it that was no object, so that the change made one of it; absent if there is none. */
  readonly made?: string;
}

/** One for each path, sorted, whatever the order of the flags. A field that ends as it began is none, if there is another. */
export function changesOf(overrides: readonly Override[], sweeps: SweptFlags): readonly Change[] {
  const byPath = new Map<string, Change>();
  for (const { path, from, to } of overrides) {
    const by = path === 'seeds' || path === 'tasks' ? path : 'set';
    byPath.set(path, { by, path, from: byPath.has(path) ? byPath.get(path)!.from! : from, to });
  }
  const all = [...byPath.values()];
  const effective = all.filter(({ from, to }) => canonicalJson(from ?? null) !== canonicalJson(to));
  const swept = Object.entries(sweeps).map(([path, to]): Change => ({ by: 'sweep', path, to }));
  const changes = [...effective, ...swept];
  return (changes.length > 0 ? changes : all).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** `codebook.size: 256 instead of 128`, `seeds: [3] instead of [0,1]`, `codebook.size: swept over 128,256`: in one line. */
export function describeChange({ by, path, from, to }: Change): string {
  if (by === 'smoke') return 'smoke run: everything at its smallest size, so the numbers mean nothing';
  if (by === 'sweep') return `${path}: swept over ${(to as readonly Json[]).map(text).join(',')}`;
  return `${path}: ${text(to)}${from === null ? ', which the file does not set' : ` instead of ${text(from ?? null)}`}`;
}

/** Values longer than this are shown in part: a table has them in each row. */
const longest = 200;

function text(value: Json): string {
  const whole = typeof value === 'string' ? value : JSON.stringify(value);
  return whole.length > longest ? `${whole.slice(0, longest - 3)}...` : whole;
}
