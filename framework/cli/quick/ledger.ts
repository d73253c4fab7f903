import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { settledAt } from '../../files/racy.ts';
import type { Look } from '../../stage/disk.ts';
import { lstatAt, statAt } from '../../stage/stat.ts';
import type { QuickRecord } from './quick.ts';
import { type FileStamp, packStamps, stampOf } from './stamps.ts';

/** Everything on disk that an answer came from, as it is collected: what was there, and what was not. */
export interface Ledger {
  /**
   * A place is about to be looked at: the file there, the folder, or that nothing is there. Links count with what they
   * lead to.
   */
  look(place: string): void;
  /** Something was found there. */
  found(place: string): void;
  /** The same, and the names in the folder there. */
  list(folder: string): void;
  /** Where a place really is. */
  link(place: string): void;
  /** A folder of data, with all in it, was digested. */
  folder(folder: QuickRecord['folders'][number]): void;
  /** Something can't be compared later, or isn't as it was: there is no record. */
  spoil(): void;
}

export type Looked = Pick<QuickRecord, 'files' | 'absent' | 'links' | 'folders'>;

// As long as a run waits for its files to be old enough to be trusted, in milliseconds.
const longestWait = 100;

/**
 * Calls a function that looks everything up once more, and returns all that it looked at. Undefined where that can't
 * be trusted: something changed since shortly before, or while it was being looked at.
 *
 * A file that has not changed since the function began is what the function saw. So the stat is taken afterwards, and
 * one with a younger change (give or take the ticks of the file system's clock) makes the function be called again.
 *
 * @param lagOf see `openLags`
 */
export async function collectLooks(
  lookAll: (ledger: Ledger) => Promise<void>,
  lagOf: (place: string) => number,
  now: () => number = Date.now,
): Promise<Looked | undefined> {
  for (const isLast of [false, true]) {
    const began = now();
    const collected = createLedger();
    await lookAll(collected.ledger);
    const looked = collected.take();
    if (looked === undefined) return undefined;
    const { stamps, ...others } = looked;
    const lag = byFolder(lagOf);
    const settled = stamps.reduce((latest, stamp) => Math.max(latest, settledOf(stamp) + lag(stamp[0])), 0);
    if (settled < began) return { files: packStamps(stamps), ...others };
    const wait = settled - now();
    if (isLast || wait > longestWait) return undefined;
    if (wait > 0) await sleep(wait + 1);
  }
  return undefined;
}

/** A folder and what is in it have one clock. */
function byFolder(lagOf: (place: string) => number): (place: string) => number {
  const known = new Map<string, number>();
  return (place) => {
    const folder = path.dirname(place);
    const lag = known.get(folder) ?? lagOf(folder);
    known.set(folder, lag);
    return lag;
  };
}

/** True if what an experiment file saw at a place can't have changed until now. `lag`: see `openLags`. */
export function isAsSeen(place: string, { found, at }: Look, lag: number): boolean {
  const stat = statAt(place);
  if (stat === undefined || found === null) return stat === undefined && found === null;
  const [size, mtimeMs, ctimeMs, inode] = found;
  const same =
    stat.size === size && stat.mtimeMs === mtimeMs && stat.ctimeMs === ctimeMs && stat.ino === inode;
  return same && settledOf([place, size, mtimeMs, ctimeMs, inode]) + lag < at;
}

function settledOf([, , mtimeMs, ctimeMs]: FileStamp): number {
  return Math.max(settledAt(mtimeMs), settledAt(ctimeMs));
}

type Collected = Omit<Looked, 'files'> & { readonly stamps: readonly FileStamp[] };

function createLedger(): { readonly ledger: Ledger; take(): Collected | undefined } {
  const watched = new Set<string>();
  const absent = new Set<string>();
  const links = new Map<string, string>();
  const folders = new Map<string, QuickRecord['folders'][number]>();
  let spoilt = false;
  const ledger: Ledger = {
    look(place) {
      const stat = lstatAt(place);
      if (stat?.isFile()) watched.add(place);
      else if (stat?.isSymbolicLink() && fs.existsSync(place)) {
        ledger.link(place);
        ledger.look(links.get(place)!);
      } else if (stat?.isDirectory()) ledger.link(place);
      else if (stat === undefined || stat.isSymbolicLink()) absent.add(place);
      else spoilt = true; // a socket or the like
    },
    found(place) {
      ledger.look(place);
      if (absent.has(place)) spoilt = true; // gone since
    },
    list(folder) {
      ledger.look(folder);
      if (fs.existsSync(folder)) watched.add(fs.realpathSync(folder));
    },
    link: (place) => void links.set(place, fs.realpathSync.native(place)),
    folder: (folder) => void folders.set(folder.folder, folder),
    spoil() {
      spoilt = true;
    },
  };
  function take(): Collected | undefined {
    const stamps = [...watched].map(stampOf);
    if (spoilt || !isWhole(stamps)) return undefined;
    return { stamps, absent: outermost(absent), links: [...links], folders: [...folders.values()] };
  }
  return { ledger, take };
}

/** Where a folder isn't there either, only that is named: thousands of places become a few. */
function outermost(absent: Iterable<string>): string[] {
  const known = new Map<string, boolean>();
  const isThere = (place: string): boolean => {
    const found = known.get(place) ?? fs.existsSync(place);
    known.set(place, found);
    return found;
  };
  const outer = new Set<string>();
  for (let place of absent) {
    while (!isThere(path.dirname(place))) place = path.dirname(place);
    outer.add(place);
  }
  return [...outer];
}

function isWhole(stamps: readonly (FileStamp | undefined)[]): stamps is readonly FileStamp[] {
  return !stamps.includes(undefined);
}
