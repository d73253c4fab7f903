import path from 'node:path';
import type { Checkpoints, Progress } from '../../framework/stage/contract.ts';
import type { Json } from '../../framework/stage/json.ts';
import type { HostOf, HostTensor, Program, State } from '../engine/types.ts';
import { describeNonFinite } from '../nn/finite.ts';
import { loadTree, saveTree } from '../weights/safetensors.ts';

/** The part of a stage's context that a training loop needs. */
export interface TrainingContext {
  readonly signal: AbortSignal;
  /** Absent for a training so short that it starts from scratch after a stop. */
  readonly checkpoints?: Checkpoints;
  /** Steps after which a rung of successive halving stops; absent: at the end of the schedule. */
  readonly until?: number;
  progress(update: Progress): void;
  log(record: { readonly [name: string]: Json }): void;
}

export interface TrainingOptions<S, B, O> {
  readonly program: Program<B, O>;
  /** The state that the program works on: with the step, all that a checkpoint needs. */
  readonly state: State<S>;
  /** Of the whole schedule. */
  readonly steps: number;
  /** Images a step; for the rate. */
  readonly batchSize: number;
  /** The batch of a step (0-based): a pure function of the step, so that a resumed stage sees the same batches. */
  batch(step: number): HostOf<B> | Promise<HostOf<B>>;
  /** A line of history each so many steps, and at the last. */
  readonly logEvery?: number;
}

/** Of a checkpoint: `state/...`, and `out/...`, the scalars that the last step returned. */
const file = 'training.safetensors';

type Scalars = { readonly [name: string]: HostTensor };

/**
 * Runs a program step by step from the latest checkpoint, shows and logs its scalar outputs, and returns the last ones.
 * Saves checkpoints when they are due, and when the signal stops it. Use it once a stage: checkpoints have no names.
 *
 * A training that diverges has failed here, not where its weights are used: each step's scalars must be finite, the
 * whole state (moments and codebook sums too) must be finite wherever it is saved and at the end, and one more step is
 * computed after the last update, and taken back, since only that shows the loss of the final weights.
 *
 * @throws Error that names the scalar or the tensor and the step, if one of them isn't finite
 */
export async function train<S, B, O>(
  context: TrainingContext,
  { program, state, steps, batchSize, batch, logEvery = 25 }: TrainingOptions<S, B, O>,
): Promise<{ readonly [name: string]: number }> {
  const { checkpoints, signal } = context;
  const end = Math.min(context.until ?? steps, steps);
  const from = await checkpoints?.latest();
  let out: Scalars = from ? resume(from.dir, state) : {};
  const begin = from?.step ?? 0;
  const begun = from?.begun ?? 0;
  if (begin > end) throw new Error(`The saved training is at step ${begin}, past the last one, ${end}.`);
  const show = (step: number) =>
    context.progress({ step, of: end, images: (step - begun) * batchSize, values: numbers(out) });
  const log = (step: number) => context.log({ step, ...numbers(out) });
  const advice = 'lower the learning rate or clip.';
  /** The state and the scalars of the last step. Throws if a number is not finite: such a state is worth no checkpoint. */
  const snapshot = (step: number) => {
    const tree = { state: state.read(), out };
    const bad = describeNonFinite(tree);
    if (bad) throw new Error(`The training diverged: after step ${step} of ${steps}, ${bad}: ${advice}`);
    return tree;
  };
  const save = async (step: number) => {
    const tree = snapshot(step);
    await checkpoints?.save(step, (dir) => saveTree(path.join(dir, file), tree));
  };
  let saved = begin;
  // The rate is measured from here.
  if (begin > 0) show(begin);
  for (let step = begin; ; step++) {
    // Behind the last step, too: what a stage does then may take long, and starts from scratch after a stop.
    if (signal.aborted && step > saved) await save(step);
    signal.throwIfAborted();
    if (step === end) break;
    out = scalarsOf(await program.run(await batch(step)));
    checkScalars(out, `at step ${step + 1} of ${steps}: ${advice}`);
    show(step + 1);
    if (isLogged(step + 1)) log(step + 1);
    if (checkpoints?.isDue()) {
      await save(step + 1);
      saved = step + 1;
    }
    // Lets signals and messages in: a program's run may block the thread.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const last = snapshot(end);
  const after = scalarsOf(await program.run(await batch(end - 1)));
  checkScalars(after, `with the weights after the last update, step ${end} of ${steps}: ${advice}`);
  state.write(last.state);
  if (end < steps) {
    if (!checkpoints) throw new Error('A training that stops on the way needs a place for its state.');
    await checkpoints.handOver(end, (dir) => saveTree(path.join(dir, file), last));
    // Afterwards: the next rung's history is that of a training that went through.
    if (!isLogged(end)) log(end);
  }
  return numbers(out);

  function isLogged(step: number): boolean {
    return step % logEvery === 0 || step === steps;
  }
}

/** Puts a saved state back; returns the scalars of its last step. */
function resume<S>(dir: string, state: State<S>): Scalars {
  const saved = loadTree<{ state: HostOf<S>; out?: Scalars }>(path.join(dir, file));
  state.write(saved.state);
  return saved.out ?? {};
}

function scalarsOf(out: unknown): Scalars {
  const scalars = Object.entries(out as Scalars).filter(([, tensor]) => tensor.data.length === 1);
  return Object.fromEntries(scalars);
}

function checkScalars(out: Scalars, when: string): void {
  for (const [name, value] of Object.entries(numbers(out))) {
    if (!Number.isFinite(value)) throw new Error(`The ${name} is ${value} ${when}`);
  }
}

function numbers(out: Scalars): { [name: string]: number } {
  return Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, Number(data[0])]));
}
