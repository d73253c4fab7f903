import type { Json } from '../../framework/stage/json.ts';
import type { HostOf, HostTensor, Program } from '../engine/types.ts';

/** The part of a stage's context that a training loop needs. */
export interface TrainingContext {
  readonly signal: AbortSignal;
  progress(update: {
    step: number;
    of: number;
    images?: number;
    values?: { readonly [name: string]: number };
  }): void;
  log(record: { readonly [name: string]: Json }): void;
}

export interface TrainingOptions<B, O> {
  readonly program: Program<B, O>;
  readonly steps: number;
  /** Images a step; for the rate. */
  readonly batchSize: number;
  /** The batch of a step (0-based): a pure function of the step, so that a resumed stage sees the same batches. */
  batch(step: number): HostOf<B>;
  /** A line of history each so many steps, and at the last. */
  readonly logEvery?: number;
}

/** Runs a program step by step, shows and logs its scalar outputs, and returns the last ones. */
export async function train<B, O>(
  context: TrainingContext,
  { program, steps, batchSize, batch, logEvery = 25 }: TrainingOptions<B, O>,
): Promise<{ readonly [name: string]: number }> {
  let values: { [name: string]: number } = {};
  for (let step = 0; step < steps; step++) {
    context.signal.throwIfAborted();
    const out = await program.run(batch(step));
    values = scalars(out as { readonly [name: string]: HostTensor });
    if (!Number.isFinite(values.loss)) {
      throw new Error(
        `The loss is ${values.loss} at step ${step + 1} of ${steps}: lower the learning rate or clip.`,
      );
    }
    context.progress({ step: step + 1, of: steps, images: (step + 1) * batchSize, values });
    if ((step + 1) % logEvery === 0 || step + 1 === steps) context.log({ step: step + 1, ...values });
    // Lets signals and messages in: a program's run blocks the thread.
    if (step % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return values;
}

/** The scalars of a program's output by name. */
export function scalars(out: { readonly [name: string]: HostTensor }): { [name: string]: number } {
  return Object.fromEntries(
    Object.entries(out)
      .filter(([, tensor]) => tensor.data.length === 1)
      .map(([name, tensor]) => [name, Number(tensor.data[0])]),
  );
}
