import path from 'node:path';
import type { Checkpoints, Phase, Progress } from '../../framework/stage/contract.ts';
import type { Json } from '../../framework/stage/json.ts';
import { StageError } from '../../framework/stage/stage-error.ts';
import type { HostOf, HostTensor, State } from '../engine/types.ts';
import { describeNonFinite } from '../nn/finite.ts';
import { loadTree, saveTree } from '../weights/safetensors.ts';
import { Interval, type Sums } from './interval.ts';
import type { Waiting } from './waiting.ts';

/** The part of a stage's context that a training loop needs. */
export interface TrainingContext {
  readonly signal: AbortSignal;
  /** Absent for a training so short that it starts from scratch after a stop. */
  readonly checkpoints?: Checkpoints;
  /** Where a rung of successive halving ends, in the unit of the training's length; absent: at its end. */
  readonly until?: number;
  progress(update: Progress): void;
  log(record: { readonly [name: string]: Json }): void;
}

/** A training as the loop sees it: steps, and the state that they change. */
export interface Training<S> {
  /** What steps work on: with their number, all that a checkpoint needs. */
  readonly state: Pick<State<S>, 'read' | 'write'>;
  /** Of the whole training. */
  readonly steps: number;
  /** Where this stage ends; absent: at the context's `until` in steps, or after all steps. */
  readonly end?: number;
  /** Images a step; for the rate. */
  readonly batchSize: number;
  /** What of its time passes in waiting for batches. */
  readonly waiting?: Pick<Waiting, 'share'>;
  /** The hint where a number isn't finite. */
  readonly advice?: string;
  /**
   * A line of history each so many steps, and at the last: the means of the scalar outputs over the steps since the line
   * before. Absent: see `usualInterval`.
   */
  readonly logEvery?: number;
  /** What a step (0-based) was computed with, such as the learning rate: a line has it of its last step. */
  scheduled?(step: number): { readonly [name: string]: number };
  /** Called once, before the first step (0-based) that this stage computes; the state is that of the checkpoint. */
  prepare?(step: number): Promise<void>;
  /**
   * Computes a step (0-based): a pure function of it and the state, so that a resumed stage does the same. Gives what
   * the step returns, or undefined if the signal stopped it on the way; the state is then as it was.
   */
  run(step: number): Promise<unknown>;
  /**
   * What the state gives for images of a step, to see whether the last update was good; what it does to the state is
   * taken back. Absent: as `run`.
   */
  look?(step: number): Promise<unknown>;
}

/**
 * Of a checkpoint: `state/...`; `out/...`, the scalars that the last step returned; `interval/...`, the sums of those since
 * the last line of history.
 */
const file = 'training.safetensors';
export const usualAdvice =
  'the training diverged: lower the learning rate, or clip gradients more (`clipNorm`)';

/** Steps between two lines of history: 25, fewer where there would be less than 40 lines, more where over 2,000. */
export function usualInterval(steps: number): number {
  return Math.max(1, Math.min(25, Math.floor(steps / 40)), Math.ceil(steps / 2000));
}

type Scalars = { readonly [name: string]: HostTensor };

/**
 * Runs a training step by step from the latest checkpoint, shows its scalar outputs, logs their means, and returns the last
 * ones. Saves checkpoints when they are due, and when the signal stops it. Use it once a stage: checkpoints have no names.
 *
 * A training that diverges has failed here, not where its weights are used: each step's scalars must be finite, the
 * whole state (moments and codebook sums too) must be finite wherever it is saved and at the end, and one more look is
 * taken after the last update, since only that shows the loss of the final weights.
 *
 * @throws StageError that names the scalar or the tensor and the step, if one of them isn't finite
 */
export async function train<S>(
  context: TrainingContext,
  training: Training<S>,
): Promise<{ readonly [name: string]: number }> {
  const { checkpoints, signal } = context;
  const { state, steps, batchSize, logEvery = usualInterval(steps), advice = usualAdvice } = training;
  const end = training.end ?? Math.min(context.until ?? steps, steps);
  const from = await checkpoints?.latest();
  const interval = new Interval();
  let out: Scalars = from ? resume(from.dir, state, interval) : {};
  const { step: begin, begun } = from ?? { step: 0, begun: 0 };
  if (begin > end)
    throw new StageError(`the checkpoint is at step ${begin}, but this training ends at step ${end}`);
  const show = (step: number, phase: Phase = 'training') => {
    const share = phase === 'training' ? training.waiting?.share() : undefined;
    context.progress({
      ...{ phase, step, of: end, images: (step - begun) * batchSize, values: numbers(out) },
      ...(share === undefined ? {} : { waiting: share }),
    });
  };
  if (training.prepare) show(begin, 'compiling');
  await training.prepare?.(begin);
  const log = (step: number) =>
    context.log({ step, ...interval.take(Object.keys(out)), ...training.scheduled?.(step - 1) });
  const isLogged = (step: number) => step % logEvery === 0 || step === steps;
  let saved = begin;
  const save = async (step: number) => {
    const tree = snapshot({ state, out, interval }, `step ${step} of ${steps}`, advice);
    await checkpoints?.save(step, (dir) => saveTree(path.join(dir, file), tree));
    saved = step;
  };
  // The rate is measured from here.
  show(begin);
  let step = begin;
  while (true) {
    // Also after the last step: what a stage does then may take long and starts from scratch after a stop.
    if (signal.aborted && step > saved) await save(step);
    signal.throwIfAborted();
    if (step === end) break;
    const results = await training.run(step);
    // Stopped on the way: the state is that of the step before.
    if (results === undefined) continue;
    step++;
    out = scalarsOf(results);
    checkScalars(out, `at step ${step} of ${steps}`, advice);
    interval.add(numbers(out));
    show(step);
    if (isLogged(step)) log(step);
    if (checkpoints?.isDue()) await save(step);
    // Lets signals and messages in: a program's run may block the thread.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const last = snapshot({ state, out, interval }, `step ${end} of ${steps}`, advice);
  await checkLast(training, end);
  state.write(last.state);
  if (end < steps) {
    if (!checkpoints) throw new Error('a training that stops on the way needs a place for its state');
    await checkpoints.handOver(end, (dir) => saveTree(path.join(dir, file), last));
    // Afterwards: the next rung's history is that of a training that went through.
    if (!isLogged(end)) log(end);
  }
  return numbers(out);
}

/** The state and the scalars of the last step. Throws if a number is not finite: such a state is worth no checkpoint. */
function snapshot<S>(
  { state, out, interval }: { state: Pick<State<S>, 'read'>; out: Scalars; interval: Interval },
  when: string,
  hint: string,
) {
  const tree = { state: state.read(), out, interval: interval.read() };
  const bad = describeNonFinite(tree);
  if (bad) throw new StageError(`after ${when}, ${bad}`, { hint });
  return tree;
}

async function checkLast<S>(
  { steps, run, look = run, advice = usualAdvice }: Training<S>,
  end: number,
): Promise<void> {
  const after = scalarsOf(await look(end - 1));
  checkScalars(after, `with the weights after the last update, step ${end} of ${steps}`, advice);
}

/** Puts a saved state back; returns the scalars of its last step. */
function resume<S>(dir: string, state: Pick<State<S>, 'write'>, interval: Interval): Scalars {
  const saved = loadTree<{ state: HostOf<S>; out?: Scalars; interval?: Sums }>(path.join(dir, file));
  state.write(saved.state);
  interval.write(saved.interval);
  return saved.out ?? {};
}

function scalarsOf(out: unknown): Scalars {
  const scalars = Object.entries(out as Scalars).filter(([, tensor]) => tensor.data.length === 1);
  return Object.fromEntries(scalars);
}

function checkScalars(out: Scalars, when: string, hint: string): void {
  for (const [name, value] of Object.entries(numbers(out))) {
    if (!Number.isFinite(value)) throw new StageError(`the ${name} is ${value} ${when}`, { hint });
  }
}

function numbers(out: Scalars): { [name: string]: number } {
  return Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, Number(data[0])]));
}
