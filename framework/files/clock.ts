import fs from 'node:fs';
import { isLocal, usualSkew } from '../stage/skew.ts';
import { besideName } from './disposable.ts';

// The clock as it is: experiment files are evaluated a second time under another one.
const localNow = Date.now;

/** The time by the clock of a folder's file system, in milliseconds since 1970; undefined where nothing can be written. */
export function clockOf(folder: string): number | undefined {
  const file = besideName(`${folder}/clock`);
  try {
    fs.writeFileSync(file, '');
    const { mtimeMs } = fs.statSync(file);
    fs.rmSync(file);
    return mtimeMs;
  } catch {
    return undefined;
  }
}

/** The time by the clock of a folder's file system, in milliseconds since 1970; by ours where nothing can be written. */
export function timeAt(folder: string): number {
  return clockOf(folder) ?? localNow();
}

/** For so long, in milliseconds, what was found out of a clock is believed. */
const belief = 60_000;

/** So often a clock is read, if each time took longer than `quick` milliseconds: a process that the system stopped in between. */
const tries = 3;
const quick = 5;

/** How the clock of file systems is asked for; other ones are for tests. */
export interface Clocks {
  /** By this machine. */
  now(): number;
  clockOf(folder: string): number | undefined;
  /** Number of the device that a place is on. */
  deviceOf(place: string): number;
  /** Whether its times are of this machine's own clock; undefined where the system doesn't say. */
  isLocal(place: string): boolean | undefined;
}

const realClocks: Clocks = {
  now: localNow,
  clockOf,
  deviceOf: (place) => fs.statSync(place).dev,
  isLocal,
};

/**
 * Says of a place by how much the clock of its file system may be behind ours, in milliseconds: what is seen there at a
 * time of ours is seen at that time less this, or later, by the clock that gives files their times. 0 where that is ours.
 *
 * @param writable a folder of ours: its clock is read off a file that is written there
 */
export function openLags(writable: string, clocks: Clocks = realClocks): (place: string) => number {
  let measured: { readonly lag: number | undefined; readonly at: number } | undefined;

  /** Of the folder of ours. */
  function measure(): number | undefined {
    if (measured === undefined || Math.abs(clocks.now() - measured.at) >= belief)
      measured = { lag: measureLag(writable, clocks), at: clocks.now() };
    return measured.lag;
  }

  return (place) => {
    try {
      const isLocal = clocks.isLocal(place);
      if (isLocal) return 0;
      const lag = measure();
      const isSame = isLocal === undefined || clocks.deviceOf(place) === clocks.deviceOf(writable);
      if (lag !== undefined && isSame) return lag;
      return isLocal === undefined ? 0 : usualSkew;
    } catch {
      return 0; // gone: there is nothing to believe
    }
  };
}

/** What passed between the file's time and ours counts as lag, so the least of several is nearest. */
function measureLag(folder: string, clocks: Clocks): number | undefined {
  let least: number | undefined;
  for (let n = 0; n < tries; n++) {
    const before = clocks.now();
    const time = clocks.clockOf(folder);
    if (time === undefined) return least;
    const after = clocks.now();
    least = Math.min(least ?? Number.POSITIVE_INFINITY, Math.max(0, after - time));
    if (after - before <= quick) break;
  }
  return least;
}
