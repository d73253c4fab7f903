import fs from 'node:fs';
import path from 'node:path';
import { timeAt } from '../../files/clock.ts';
import { hasCode } from '../../files/files.ts';
import { readFresh } from '../../files/fresh.ts';
import type { RunEvent } from './events.ts';
import { eventsFile, hostDigest, type RunRecord, recordFile, runsFolder } from './log.ts';

/** A run as it is recorded. */
export interface RecordedRun {
  readonly dir: string;
  readonly record: RunRecord;
  /** `lost`: it began, and neither ended by itself nor is there any more. */
  readonly status: RunRecord['status'] | 'lost';
}

export type TimedEvent = RunEvent & { readonly time: string };

/** Milliseconds without a sign of life after which a run counts as gone, also on another machine. */
const patience = 120_000;

/** All runs of a store, the oldest first. A folder without a readable record is left out. */
export function listRuns(store: string, now?: number): readonly RecordedRun[] {
  return listFolders(runsFolder(store)).flatMap((id) => {
    const run = readRun(path.join(runsFolder(store), id), now);
    return run ? [run] : [];
  });
}

/** Events of a run in their order. Lines that aren't whole are left out: a killed run may end in the middle of one. */
export function readEvents(dir: string): readonly TimedEvent[] {
  return readEventFile(path.join(dir, eventsFile));
}

/** The same of one file. */
export function readEventFile(file: string): readonly TimedEvent[] {
  return readLines(file).flatMap((line) => {
    try {
      return [JSON.parse(line) as TimedEvent];
    } catch {
      return [];
    }
  });
}

function readRun(dir: string, now: number | undefined): RecordedRun | undefined {
  try {
    const record = JSON.parse(fs.readFileSync(path.join(dir, recordFile), 'utf8')) as RunRecord;
    if (record.format !== 1) return undefined;
    if (record.status !== 'running' || isAlive(dir, record, now))
      return { dir, record, status: record.status };
    // It may have been killed between the last event and the last write of its record.
    const end = readEvents(dir).findLast((event) => event.type === 'run-finished');
    if (end?.type !== 'run-finished') return { dir, record, status: 'lost' };
    const { status, seconds, counts } = end;
    return { dir, record: { ...record, status, seconds, counts }, status };
  } catch {
    return undefined;
  }
}

function isAlive(dir: string, { pid, host }: RunRecord, now: number | undefined): boolean {
  if (host === hostDigest() && !hasProcess(pid)) return false;
  // The number may be another process's by now, or of another machine.
  const sign = fs.statSync(path.join(dir, eventsFile), { throwIfNoEntry: false })?.mtimeMs;
  return sign !== undefined && (now ?? timeAt(path.dirname(dir))) - sign < patience;
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}

function readLines(file: string): string[] {
  try {
    return readFresh(file).split('\n');
  } catch {
    return [];
  }
}

function listFolders(dir: string): string[] {
  try {
    return fs.readdirSync(dir).sort();
  } catch {
    return [];
  }
}
