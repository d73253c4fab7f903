import fs from 'node:fs';
import path from 'node:path';
import type { RunOptions } from '../run/options.ts';
import type { Failure } from '../stage/errors.ts';
import { explainEnd } from './ends.ts';

type Executor = RunOptions['executor'];

/** What a submission says of the memory of its tasks, in MiB. */
export interface MemoryTerms {
  /** What was asked for; absent where Slurm's own default counts. */
  readonly asked?: number;
  /** The most that a task may get that needs more. */
  readonly most: number;
  /** Slurm looks at what jobs take, and ends whole jobs that take too much. */
  readonly sampled?: true;
}

/** What a task took too much of: memory that it had in one attempt after another, and what it is to get next. */
export interface MemoryTries {
  /** MiB */
  readonly had: readonly number[];
  /** MiB; absent if it isn't tried again. */
  readonly next?: number;
}

/** A line for each attempt that took more memory than it had: that, and what the next one is to get. */
export function memoryFile(dir: string, index: number | string): string {
  return path.join(dir, `${index}.memory`);
}

export function readTries(file: string): MemoryTries {
  let text = '';
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch {
    // never took too much
  }
  const lines = text.split('\n').flatMap((line) => (line === '' ? [] : [line.split(' ').map(Number)]));
  const next = lines.at(-1)?.[1];
  return { had: lines.map(([had]) => had!), ...(next === undefined ? {} : { next }) };
}

/** Notes that an attempt took more than it had. */
export function noteTry(file: string, had: number, next: number | undefined): void {
  fs.appendFileSync(file, `${next === undefined ? had : `${had} ${next}`}\n`);
}

/** Twice as much, as far as may be; undefined if that is not more. */
export function nextMemory(had: number, most: number): number | undefined {
  const next = Math.min(2 * had, Math.floor(most));
  return next > had ? next : undefined;
}

export function explainMemory({ had }: MemoryTries, node: string | null): Failure {
  const failure = explainEnd({ state: 'OUT_OF_MEMORY', nodes: node ?? '' });
  if (had.length < 2) return failure;
  return {
    ...failure,
    message: `${failure.message}; it was tried with ${had.map((one) => `${one}M`).join(', ')}`,
  };
}

export interface MemoryWatch {
  /** An executor as another one; a stage that took too much fails, and is not started again on the spot. */
  around(executor: Executor): Executor;
  /** Stages that took too much. */
  readonly exceeded: ReadonlySet<string>;
}

/** Shares of the memory of a job at which it is taken for too much, before Slurm does. */
const share = 0.95;
const pause = 200; // milliseconds

export interface WatchedMemory {
  /** MiB of the job. */
  readonly limit: number;
  /** Where Slurm would end the whole job: then its stages are ended before. */
  readonly sampled: boolean;
  readonly failure: Failure;
  /** MiB of this process and those below it. */
  readonly used?: () => number;
  /** Processes of this job that the kernel has ended; undefined where it doesn't say. */
  readonly kills?: () => number | undefined;
}

/**
 * Tells stages that took more memory than their job has from those that crashed. Two things end such a stage: the kernel, where
 * the job is a cgroup, which counts that; or we, where Slurm itself samples jobs and would end us, too.
 */
export function watchMemory(options: WatchedMemory): MemoryWatch {
  const { limit, sampled, failure, used = usedMemory, kills = killsByKernel } = options;
  const exceeded = new Set<string>();
  const running = new Set<AbortController>();
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    if (used() > share * limit) for (const one of running) one.abort();
  };
  const watched = async (executor: Executor, ...[job, control]: Parameters<Executor>) => {
    const over = new AbortController();
    running.add(over);
    if (sampled) timer ??= setInterval(look, pause);
    const before = kills();
    try {
      const kill = AbortSignal.any([control.kill, over.signal]);
      const result = await executor(job, { ...control, kill });
      const isOver = over.signal.aborted || (before !== undefined && (kills() ?? before) > before);
      if (result.type !== 'failed' || !result.crashed || !isOver) return result;
      exceeded.add(job.stage);
      return { type: 'failed', failure, tail: result.tail } as const;
    } finally {
      running.delete(over);
      if (running.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    }
  };
  return { exceeded, around: (executor) => (job, control) => watched(executor, job, control) };
}

/** MiB of this process and all below it, as Slurm adds them up. */
function usedMemory(): number {
  const seen = new Set<number>();
  const sum = (pid: number): number => {
    if (seen.has(pid)) return 0;
    seen.add(pid);
    try {
      const kibibytes = Number(
        /^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0,
      );
      return childrenOf(pid).reduce((total, child) => total + sum(child), kibibytes / 1024);
    } catch {
      return 0; // it has ended
    }
  };
  return sum(process.pid);
}

function childrenOf(pid: number): number[] {
  return fs.readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const text = fs.readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  });
}

/** Of the cgroup of this process, of either version. */
function killsByKernel(): number | undefined {
  try {
    return readKills(fs.readFileSync('/proc/self/cgroup', 'utf8'), (file) => fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * @param groups `/proc/self/cgroup`
 * @param read what a file holds
 */
export function readKills(groups: string, read: (file: string) => string): number | undefined {
  const [, old] = /^\d+:(?:[\w=,]*,)?memory(?:,[\w=,]*)?:(.*)$/m.exec(groups) ?? [];
  const [, unified] = /^0::(.*)$/m.exec(groups) ?? [];
  const files = [
    ...(old === undefined ? [] : [`/sys/fs/cgroup/memory${old}/memory.oom_control`]),
    ...(unified === undefined ? [] : [`/sys/fs/cgroup${unified}/memory.events`]),
  ];
  for (const file of files) {
    const found = /^oom_kill (\d+)$/m.exec(read(file))?.[1];
    if (found !== undefined) return Number(found);
  }
  return undefined;
}
