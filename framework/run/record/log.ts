import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hasCode } from '../../files/files.ts';
import type { RunEvent, RunFinished, RunStatus } from './events.ts';
import type { Git } from './git.ts';
import { createThinner } from './pace.ts';

/** `run.json` of a run: what it is, and how it ended. */
export interface RunRecord {
  readonly format: 1;
  readonly id: string;
  readonly experiment: string;
  /** Relative to the project. */
  readonly file: string;
  /** Arguments of peco-exp. */
  readonly command: readonly string[];
  /** `running` until it has ended by itself. */
  readonly status: RunStatus | 'running';
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly seconds?: number;
  readonly counts?: RunFinished['counts'];
  /** In the plan. */
  readonly stages: number;
  readonly engine: string;
  readonly jobs: number;
  readonly version: string;
  readonly node: string;
  readonly git: Git;
  /** Of the process that runs it, and of its machine; later they show whether it is still there. */
  readonly pid: number;
  readonly host: string;
  /** Its stages are jobs of Slurm; absent for a run on this machine. */
  readonly executor?: 'slurm';
  /** Its process has gone and left its jobs to themselves: their events say how it goes on. */
  readonly left?: true;
}

export type RunDescription = Pick<
  RunRecord,
  'experiment' | 'file' | 'command' | 'stages' | 'engine' | 'jobs' | 'version' | 'git' | 'executor'
>;

/** Keeps the events of a run. */
export interface RunLog {
  readonly id: string;
  /** Never throws: a record that can't be written is given up, with one warning. */
  record(event: RunEvent): void;
  /** Ends here, without an end of the run: its jobs go on. */
  leave(): void;
  /** Nothing began: there is no such run. */
  discard(): void;
}

export interface LogOptions {
  /** Called once if the run can't be recorded, or not to its end. */
  onProblem(message: string): void;
  /** For tests. */
  readonly append?: (descriptor: number, line: string) => void;
}

/** Milliseconds between signs of life; a run that gives none for long counts as dead. */
const heartbeat = 10_000;

export const eventsFile = 'events.ndjson';
export const recordFile = 'run.json';

export function runsFolder(store: string): string {
  return path.join(store, 'runs');
}

/**
 * Starts the record of a run in the store: `runs/<id>/run.json` and `events.ndjson`, one JSON object a line with the
 * time of the event. Lines are appended as things happen, so that a run that is killed leaves all up to then.
 *
 * @returns undefined, after `onProblem`, if the store can't be written
 */
export function openRunLog(
  store: string,
  description: RunDescription,
  options: LogOptions,
): RunLog | undefined {
  const { onProblem, append = appendLine } = options;
  const started = new Date();
  try {
    const { id, dir } = makeFolder(runsFolder(store), description.experiment, started);
    const record: RunRecord = {
      format: 1,
      id,
      ...description,
      status: 'running',
      started: started.toISOString(),
      node: process.version,
      pid: process.pid,
      host: hostDigest(),
    };
    writeRecord(dir, record);
    const events = path.join(dir, eventsFile);
    const descriptor = fs.openSync(events, 'a');
    const beating = setInterval(() => touch(descriptor), heartbeat);
    beating.unref();
    return { id, ...recorder({ dir, record, descriptor, append, onProblem, beating }) };
  } catch (error) {
    onProblem(`this run is not recorded: ${whatHappened(error)}`);
    return undefined;
  }
}

function recorder(log: {
  readonly dir: string;
  readonly record: RunRecord;
  readonly descriptor: number;
  readonly append: (descriptor: number, line: string) => void;
  readonly onProblem: (message: string) => void;
  readonly beating: NodeJS.Timeout;
}): Omit<RunLog, 'id'> {
  const thin = createThinner();
  let open = true;

  function end(): void {
    open = false;
    clearInterval(log.beating);
    fs.closeSync(log.descriptor);
  }

  function finish(last: Partial<RunRecord>): void {
    fs.fsyncSync(log.descriptor);
    end();
    writeRecord(log.dir, { ...log.record, ...last });
  }

  /** Does something while the log is open. */
  function attempt(work: () => void): void {
    if (!open) return;
    try {
      work();
    } catch (error) {
      if (open) end();
      log.onProblem(`the record of this run ends early: ${whatHappened(error)}`);
    }
  }

  return {
    record: (event) =>
      attempt(() => {
        const time = new Date().toISOString();
        for (const kept of thin(event)) log.append(log.descriptor, `${JSON.stringify({ time, ...kept })}\n`);
        if (event.type !== 'run-finished') return;
        const { status, seconds, counts } = event;
        finish({ status, seconds, counts });
      }),
    leave: () => attempt(() => finish({ left: true })),
    discard: () =>
      attempt(() => {
        end();
        fs.rmSync(log.dir, { recursive: true, force: true });
      }),
  };
}

/** Writes how a run ended whose process has gone. Of a record that can't be read or written nothing is said. */
export function endRecord(
  dir: string,
  end: Required<Pick<RunRecord, 'status' | 'seconds' | 'counts'>>,
): void {
  try {
    const record = JSON.parse(fs.readFileSync(path.join(dir, recordFile), 'utf8')) as RunRecord;
    writeRecord(dir, { ...record, ...end });
  } catch {
    // It is found out again from the events.
  }
}

/** `20261124-213001-quickstart-3f2a`: sorted by name they are sorted by time (UTC). */
function makeFolder(
  runs: string,
  experiment: string,
  at: Date,
): { readonly id: string; readonly dir: string } {
  fs.mkdirSync(runs, { recursive: true });
  const time = at.toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const name = experiment.replaceAll(/[^\w-]+/g, '-').slice(0, 60);
  for (;;) {
    const id = `${time}-${name}-${randomBytes(2).toString('hex')}`;
    try {
      fs.mkdirSync(path.join(runs, id));
      return { id, dir: path.join(runs, id) };
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
  }
}

function writeRecord(dir: string, record: RunRecord): void {
  const file = path.join(dir, recordFile);
  const temporary = `${file}.tmp`;
  fs.writeFileSync(temporary, `${JSON.stringify(record, null, 2)}\n`);
  fs.renameSync(temporary, file);
}

function appendLine(descriptor: number, line: string): void {
  const bytes = Buffer.from(line);
  for (let written = 0; written < bytes.length; )
    written += fs.writeSync(descriptor, bytes, written, bytes.length - written);
}

/** A machine's name may show whose it is, and records travel with the store: only whether it is this one counts. */
export function hostDigest(): string {
  return createHash('sha256').update(os.hostname()).digest('hex').slice(0, 12);
}

/** Cut to the length that it has, a file gets a time of modification by the clock of its file system, not by ours. */
function touch(descriptor: number): void {
  try {
    fs.ftruncateSync(descriptor, fs.fstatSync(descriptor).size);
  } catch {
    // The next event finds out.
  }
}

function whatHappened(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'the store is read-only';
  return `can't write to the store (${code ?? String(error)})`;
}
