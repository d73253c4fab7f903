import fs from 'node:fs';

// Imports next to nothing: the quick path uses it.

/** What a file or folder was when it was last known to be right; of a link, what the link itself was. */
export type FileStamp = readonly [
  path: string,
  size: number,
  mtimeMs: number,
  ctimeMs: number,
  inode: number,
];

/** Stamps as columns, with paths that say only what is new: a record of thousands of files is read in milliseconds. */
export interface PackedStamps {
  /** How many characters the path has in common with the one before it. */
  readonly shared: readonly number[];
  /** What follows them. */
  readonly rest: readonly string[];
  /** Size, modification, change and inode of each, one after the other. */
  readonly stats: readonly number[];
}

export function stampOf(file: string): FileStamp | undefined {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  return stat ? [file, stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino] : undefined;
}

export function packStamps(stamps: readonly FileStamp[]): PackedStamps {
  const sorted = [...stamps].sort(([a], [b]) => (a < b ? -1 : 1));
  const shared = sorted.map(([file], index) => sharedLength(file, sorted[index - 1]?.[0] ?? ''));
  return {
    shared,
    rest: sorted.map(([file], index) => file.slice(shared[index])),
    stats: sorted.flatMap(([, ...stat]) => stat),
  };
}

/** True if every file is as it was. Throws if one can't be looked at. */
export function areUnchanged({ shared, rest, stats }: PackedStamps): boolean {
  let file = '';
  return rest.every((end, index) => {
    file = file.slice(0, shared[index]) + end;
    const stat = fs.lstatSync(file, { throwIfNoEntry: false });
    const at = 4 * index;
    return (
      stat !== undefined &&
      stat.size === stats[at] &&
      stat.mtimeMs === stats[at + 1] &&
      stat.ctimeMs === stats[at + 2] &&
      stat.ino === stats[at + 3]
    );
  });
}

function sharedLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  for (let i = 0; i < most; i++) if (a[i] !== b[i]) return i;
  return most;
}
