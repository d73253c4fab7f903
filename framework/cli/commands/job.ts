import fs from 'node:fs';
import type { Plan } from '../../plan/plan.ts';
import type { Emit, RunEvent } from '../../run/record/events.ts';
import { readGit } from '../../run/record/git.ts';
import { type RunOutcome, runExperiment } from '../../run/run.ts';
import { type Allocation, readAllocation } from '../../slurm/allocation.ts';
import { judgeAttempt } from '../../slurm/attempt.ts';
import { openEvents, readStory, type TaskStory } from '../../slurm/events.ts';
import {
  explainMemory,
  type MemoryWatch,
  memoryFile,
  nextMemory,
  noteTry,
  readTries,
  watchMemory,
} from '../../slurm/memory.ts';
import { createOthers } from '../../slurm/others.ts';
import { readState } from '../../slurm/queue.ts';
import {
  earlyFile,
  eventsOf,
  Records,
  readSubmission,
  type Submission,
  type SubmittedStage,
  wasCancelled,
} from '../../slurm/records.ts';
import { endRun } from '../../slurm/runs.ts';
import { memoryCode, requeueCode } from '../../slurm/script.ts';
import { formatError, isPecoError, PecoError } from '../../stage/errors.ts';
import { codeOf } from '../bundles.ts';
import { type Interrupts, listenForInterrupts } from '../interrupts.ts';
import { type Prepared, prepareExperiment } from '../prepare.ts';
import { printText } from '../print.ts';
import { createJsonRenderer } from '../progress/json.ts';
import { createLineRenderer } from '../progress/lines.ts';
import { describeEnd, describeStart, optionsOf, withEngine } from '../running.ts';

/** One task of a job: what it is to make, and what earlier attempts of it told. */
interface Task {
  readonly submission: Submission;
  readonly folder: string;
  readonly index: number;
  readonly own: readonly SubmittedStage[];
  readonly story: TaskStory;
  readonly emit: Emit;
  readonly interrupts: Interrupts;
  readonly allocation: Allocation | undefined;
  readonly version: string;
}

export interface JobFlags {
  readonly json?: boolean;
}

/**
 * `peco-exp job FOLDER TASK`: what a job of Slurm runs. It plans the experiment again and makes the stages of its task,
 * with the scheduler of a local run on what Slurm gave it.
 *
 * @returns the exit code: 0 if a stage of it has a result, 75 if it is to go back into the queue, else 1
 */
export async function jobCommand(
  folder: string,
  index: number,
  { json = false }: JobFlags,
  version: string,
): Promise<number> {
  const interrupts = listenForInterrupts();
  const submission = readSubmission(folder);
  const own = submission.tasks[index] ?? [];
  const allocation = readAllocation(process.env);
  const file = eventsOf(folder, index);
  const renderer = json
    ? createJsonRenderer(printText)
    : createLineRenderer({ write: printText, verbose: true });
  const keep = openEvents(file, (message) => renderer.show({ type: 'warning', message }));
  const emit = ofOwn(own, (event) => {
    keep(event);
    renderer.show(event);
  });
  const story = readStory(file);
  try {
    return await runTask({ submission, folder, index, own, story, emit, interrupts, allocation, version });
  } catch (error) {
    // Those who watch see events only.
    const failure = { message: formatError(error) };
    for (const { stage } of own) emit({ type: 'stage-failed', stage, failure, tail: [] });
    if (!isPecoError(error)) throw error;
    return 1;
  } finally {
    await renderer.close();
  }
}

async function runTask(task: Task): Promise<number> {
  const { submission, own, story, emit, interrupts, allocation } = task;
  const records = new Records(submission.flags.store);
  // Where the process that submitted it didn't live to hear its number.
  if (allocation && records.jobOf(submission.id) === undefined)
    await records.noteJob(submission.id, allocation.job);
  const prepared = await prepareTask(task);
  const { plan, project } = prepared;
  emit({ ...describeStart(prepared), jobs: own.length });
  fs.rmSync(earlyFile(task.folder, task.index), { force: true });
  await checkUnchanged(plan, own);
  if (story.lost > project.retries) throw lostTooOften(story.lost);
  const memory = openMemory(task, project.retries);
  const saved = new Map<string, number | undefined>();
  const note: Emit = (event) => {
    if (event.type === 'stage-interrupted') saved.set(event.stage, event.saved?.step);
    emit(memory ? memory.change(event) : event);
  };
  interrupts.begin(note);
  const settled = settleOwn(task, prepared, {
    records,
    emit: note,
    ...(memory ? { watch: memory.watch } : {}),
  });
  const outcome = await settled.finally(() => interrupts.end());
  const cancelled = wasCancelled(task.folder, task.index);
  const verdict = judgeAttempt({
    interrupted: outcome.status === 'interrupted',
    saved,
    before: story.saved,
    cancelled,
    // Asked only where it matters: on a busy cluster thousands of jobs end at once.
    state: outcome.status === 'interrupted' && allocation ? await readState(allocation.task) : 'RUNNING',
    made: own.some(({ stage }) => isMade(stage, readStory(eventsOf(task.folder, task.index)))),
  });
  for (const { stage, failure } of verdict.failed) emit({ type: 'stage-failed', stage, failure, tail: [] });
  const grows = !cancelled && (outcome.status !== 'interrupted' || verdict.end === 'requeue');
  if (memory?.note(grows)) {
    emit(describeEnd({ ...outcome, status: 'interrupted' }));
    return memoryCode;
  }
  emit(describeEnd(outcome));
  if (submission.whole && submission.run !== undefined) endRun(submission.flags.store, submission.run);
  return { done: 0, failed: 1, requeue: requeueCode }[verdict.end];
}

/** Planned again, as far as the stages of the task need it; a report needs all. */
async function prepareTask({ submission, own, emit }: Task): Promise<Prepared> {
  const { flags, file, whole = false } = submission;
  const upto = whole ? flags.upto : own.map(({ stage }) => stage);
  const wanted = { ...flags, ...(upto === undefined ? {} : { upto }), willRun: true, writesTables: whole };
  const prepared = await prepareExperiment(file, wanted, ({ message }) => emit({ type: 'warning', message }));
  return withEngine(prepared, emit);
}

/** What a task does about memory: stages that take too much are tried again with more, as far as may be. */
function openMemory({ submission, folder, index, allocation }: Task, retries: number) {
  if (allocation?.memory === undefined || submission.memory === undefined) return undefined;
  const { memory: limit, origin } = allocation;
  const { most, sampled = false } = submission.memory;
  const file = memoryFile(folder, index);
  const { had } = readTries(file);
  const next = had.length < retries ? nextMemory(limit, most) : undefined;
  const failure = explainMemory({ had: [...had, limit] }, origin.node);
  const watch = watchMemory({ limit, sampled, failure });
  return {
    watch,
    /** What failed for its memory and is tried again has not ended. */
    change(event: RunEvent): RunEvent {
      if (event.type !== 'stage-failed' || next === undefined || !watch.exceeded.has(event.stage))
        return event;
      const { message } = explainMemory({ had: [limit] }, origin.node);
      const now = { message: `${message}, and gets ${next}M now` };
      return { ...event, type: 'stage-retrying', failure: now, retry: had.length + 1, of: retries };
    },
    /** True if the job is to come back with more. */
    note(mayGrow: boolean): boolean {
      if (watch.exceeded.size === 0) return false;
      noteTry(file, limit, mayGrow ? next : undefined);
      return mayGrow && next !== undefined;
    },
  };
}

interface Settling {
  readonly records: Records;
  readonly emit: Emit;
  readonly watch?: MemoryWatch;
}

async function settleOwn(
  { own, submission, allocation, interrupts, version }: Task,
  prepared: Prepared,
  { records, emit, watch }: Settling,
): Promise<RunOutcome> {
  const { plan, project, store } = prepared;
  const ids = new Set(own.map(({ stage }) => stage));
  const git = await readGit(project.root, await codeOf(prepared));
  const usual = optionsOf(prepared, {}, git);
  const options = {
    ...usual,
    ...(watch ? { executor: watch.around(usual.executor) } : {}),
    ...sharesOf(own, allocation),
    ...(submission.run === undefined ? {} : { run: submission.run }),
    ...(allocation === undefined ? {} : { slurm: allocation.origin }),
    version,
    stop: interrupts.stop,
    kill: interrupts.kill,
    others: createOthers({ keys: await plan.inputKeys(), records, store, own: ids }),
  };
  const outcome = await runExperiment(plan, options, emit);
  await store.flush();
  return outcome;
}

/** What Slurm gave the job, divided as a local run divides a machine. */
function sharesOf(own: readonly SubmittedStage[], allocation: Allocation | undefined) {
  if (allocation === undefined) return {};
  const { cores, memory } = allocation;
  const jobs = Math.max(1, Math.min(own.length, cores));
  return { jobs, cores, ...(memory === undefined ? {} : { memory }) };
}

/** Events of the task's own stages, and those of no stage. */
function ofOwn(own: readonly SubmittedStage[], emit: Emit): Emit {
  const ids = new Set(own.map(({ stage }) => stage));
  return (event: RunEvent) => {
    const stage = 'stage' in event ? event.stage : undefined;
    if (stage !== undefined && !ids.has(stage)) return;
    emit(
      event.type === 'run-started'
        ? { ...event, stages: event.stages.filter((one) => ids.has(one.stage)) }
        : event,
    );
  };
}

function isMade(stage: string, { outcomes }: TaskStory): boolean {
  const type = outcomes.get(stage)?.type;
  return type === 'stage-finished' || type === 'stage-dropped';
}

/** @throws PecoError `changed` if a stage isn't what it was when it was submitted */
async function checkUnchanged(plan: Plan, own: readonly SubmittedStage[]): Promise<void> {
  const keys = await plan.inputKeys();
  const byId = new Map(plan.stages.map(({ node }) => [node.id, node] as const));
  for (const { stage, key } of own) {
    const node = byId.get(stage);
    if (node !== undefined && keys.get(node) === key) continue;
    throw new PecoError(
      `${stage} is not what it was when it was submitted: its code, config or data changed`,
      {
        code: 'changed',
        hint: 'run again: it is submitted as it is now; data has to be the same on every machine, too',
      },
    );
  }
}

function lostTooOften(times: number): PecoError {
  return new PecoError(`its job was ended ${times} times without a word: its node failed, or it was killed`, {
    code: 'slurm',
    hint: 'sacct and the administrators know more; --retries says how often it is tried again',
  });
}
