import fs from 'node:fs';
import type { Failure } from '../stage/errors.ts';
import type { QueuedTask } from './queue.ts';
import { rowsOf } from './rows.ts';
import { ask } from './tools.ts';

/** How Slurm says that a task ended. */
export interface TaskEnd {
  /** `NODE_FAIL`, `OUT_OF_MEMORY`, ... */
  readonly state: string;
  readonly nodes?: string;
}

const tailLines = 20;
const tailBytes = 1 << 16;

/** What slurmstepd writes into a job's log when it, or the kernel, ends it for its memory; not every set-up has a state for it. */
const memoryWords = /slurmstepd.*(exceeded.*memory limit|oom[-_ ]?kill|out of memory)/i;

/** Whether the end of a job's log says that the job took more memory than it had. */
export function saysMemory(tail: readonly string[]): boolean {
  return tail.some((line) => memoryWords.test(line));
}

/**
 * Why a task has no result that didn't live to say it.
 *
 * @param tail the end of its log
 */
export function explainEnd(end: TaskEnd | undefined, tail: readonly string[] = []): Failure {
  const where = end?.nodes ? ` (${end.nodes})` : '';
  const state = saysMemory(tail) ? 'OUT_OF_MEMORY' : end?.state;
  switch (state) {
    case 'OUT_OF_MEMORY':
      return {
        message: `its job took more memory than it had${where}`,
        hint: 'raise `memory` or `memoryMax` in the settings of slurm, or make the batch smaller',
      };
    case 'NODE_FAIL':
    case 'BOOT_FAIL':
      return { message: `its node failed${where}`, hint: 'run again: it resumes on another node' };
    case 'TIMEOUT':
    case 'DEADLINE':
      return {
        message: `its job was ended by its time limit${where}`,
        hint: 'run again: it resumes where it was saved; raise `time`, or `ahead` if it had no time to save',
      };
    case 'PREEMPTED':
      return {
        message: `its job made room for another one${where}`,
        hint: 'run again: it resumes where it was saved',
      };
    case 'CANCELLED':
      return { message: 'its job was cancelled', hint: 'run again: it is submitted again' };
    case 'FAILED':
    case 'LAUNCH_FAILED':
      return {
        message: `its job failed before it could say why${where}`,
        hint:
          tail.length > 0
            ? 'its log says more: see below'
            : 'its log is empty; run again: it is submitted again',
      };
    default:
      return { message: 'its job ended without a result', hint: 'run again: it is submitted again' };
  }
}

/** What Slurm knows of the end of a task: from the queue for some minutes, later from accounting, where there is one. */
export async function findEnd(task: QueuedTask | undefined, name: string): Promise<TaskEnd | undefined> {
  if (task !== undefined) return { state: task.state, nodes: task.nodes };
  const text = await ask('sacct', [
    '--noheader',
    '--parsable2',
    '--allocations',
    `--jobs=${name}`,
    '--format=State,NodeList',
  ]).catch(() => '');
  // `CANCELLED by 1000`
  const [state, nodes = ''] = rowsOf(text, 2).at(-1) ?? [];
  return state ? { state: state.split(' ')[0]!, nodes: nodes === 'None assigned' ? '' : nodes } : undefined;
}

/** The last lines of a log; none if there is none. */
export function tailOf(log: string): readonly string[] {
  let file: number | undefined;
  try {
    file = fs.openSync(log, 'r');
    const { size } = fs.fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, tailBytes));
    fs.readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const text = bytes.toString('utf8').trimEnd();
    return text === '' ? [] : text.split('\n').slice(-tailLines);
  } catch {
    return [];
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}
