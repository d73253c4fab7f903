import path from 'node:path';
import {
  firstSpot,
  type ListedFolder,
  type ListedPart,
  listFolder,
  type Spot,
  sortParts,
  spotsIn,
} from './folder-list.ts';
import { type FolderPool, openFolderPool } from './folder-pool.ts';

/** A folder with all below it, as it was at some moment since the look began. */
export interface Sweep {
  /** Sorted by path. */
  readonly parts: readonly ListedPart[];
}

export interface SweepOptions {
  /** It has to begin now. Absent: an earlier one may be believed for a while, see `sweepFolder`. */
  readonly fresh?: boolean;
}

/** So many files are looked at faster than threads start. */
const few = 4_000;
/** A sweep is believed for so many times as long as it took: then looking takes 5 % of the time at most. */
const belief = 20;
/** And never longer than this, in milliseconds. */
const longestBelief = 60_000;
/** What takes less, in milliseconds, is done again each time, and so are so few files, whatever else took the time. */
const quick = { time: 50, files: 500 };

interface Known {
  running: Promise<Sweep>;
  /** Begins when `running` has ended. */
  next?: Promise<Sweep>;
  /** Until then it may stand for a new one; by the clock of `performance.now()`. */
  until: number;
}

const known = new Map<string, Known>();

/**
 * Lists everything in a folder, however deep, with the stat of each file; links are followed. A folder of very many files
 * is looked at again only after a while: a run asks for each stage that begins. What has to be true now asks for a
 * `fresh` one.
 *
 * @throws the file system's error
 */
export function sweepFolder(folder: string, { fresh = false }: SweepOptions = {}): Promise<Sweep> {
  const root = path.resolve(folder);
  const last = known.get(root);
  if (last === undefined) return begin(root);
  if (!fresh && performance.now() < last.until) return last.running;
  // One that is under way began before this call.
  last.next ??= last.running.then(
    () => begin(root),
    () => begin(root),
  );
  return last.next;
}

function begin(root: string): Promise<Sweep> {
  const started = performance.now();
  const running = sweep(root);
  const one: Known = { running, until: Number.POSITIVE_INFINITY };
  known.set(root, one);
  running.then(
    ({ parts }) => {
      const took = performance.now() - started;
      const files = parts.reduce((sum, { count }) => sum + count, 0);
      const isQuick = took < quick.time || files < quick.files;
      one.until = isQuick ? 0 : started + took + Math.min(longestBelief, belief * took);
    },
    () => {
      one.until = 0;
    },
  );
  return running;
}

async function sweep(root: string): Promise<Sweep> {
  const parts: ListedPart[] = [];
  const spots: Spot[] = [firstSpot(root)];
  const place = ({ dir }: Spot) => (dir === '' ? root : `${root}/${dir}`);
  const add = (spot: Spot, listed: ListedFolder): void => {
    parts.push({ dir: spot.dir, ...listed });
    spots.push(...spotsIn(root, spot, listed));
  };
  for (let files = 0; spots.length > 0 && files < few; ) {
    const spot = spots.pop()!;
    const listed = listFolder(place(spot));
    files += listed.count;
    add(spot, listed);
  }
  if (spots.length === 0) return { parts: sortParts(parts) };
  const pool = await openFolderPool();
  try {
    await drain(pool, spots, async (spot) => add(spot, await pool.list(place(spot))));
  } finally {
    await pool.close();
  }
  return { parts: sortParts(parts) };
}

/** Works on what is in a list until it is empty and nothing is under way that could add to it. */
function drain<T>(pool: FolderPool, list: T[], work: (one: T) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let busy = 0;
    let failed = false;
    const go = (): void => {
      while (!failed && busy < 2 * pool.lanes && list.length > 0) {
        busy += 1;
        work(list.pop()!).then(
          () => {
            busy -= 1;
            go();
          },
          (error: unknown) => {
            failed = true;
            reject(error);
          },
        );
      }
      if (busy === 0 && list.length === 0) resolve();
    };
    go();
  });
}

/** Absolute paths of the links in a folder. */
export function linksIn(folder: string, { parts }: Sweep): string[] {
  return parts.flatMap(({ dir, links }) => links.map((name) => path.join(folder, dir, name)));
}
