import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { allocate } from './check.ts';
import type { TreeOf } from './tree.ts';
import { isHostTensor, isTensor, mapTree, zipTrees } from './tree.ts';
import type { HostOf, HostTensor, Program, Step } from './types.ts';
import { EngineError } from './types.ts';

/** A state with the gradients of the micro-batches since the last update beside it. */
export interface Accumulating<S, G> {
  /** What the step is about: weights, moments, statistics. */
  readonly carried: S;
  /** Sums of gradients; zero after an update. */
  readonly sum: G;
  /** Scalar: how many micro-batches are in `sum`. */
  readonly count: Tensor;
}

/** Gradients of the mean loss of one micro-batch, and what to return. */
export type GradientStep<S, B, G, O, C> = (
  state: S,
  batch: B,
  constants: C,
) => {
  readonly gradients: G;
  readonly out: O;
};

/** Uses gradients as an optimiser does; `batch` holds what it needs besides: the learning rate, ... */
export type UpdateStep<S, U, G, O, C> = (
  state: S,
  gradients: G,
  batch: U,
  constants: C,
) => { readonly state: S; readonly out: O };

/** The state to begin with. `gradients` has the form that the gradients will have: the weights that are trained. */
export function accumulating<S, G>(initial: HostOf<S>, gradients: HostOf<G>): HostOf<Accumulating<S, G>> {
  const zeros = mapTree(gradients as TreeOf<HostTensor>, isHostTensor, ({ shape }) => ({
    dtype: 'float32' as const,
    shape: [...shape],
    data: allocate('float32', shape),
  }));
  const count: HostTensor = { dtype: 'float32', shape: [], data: new Float32Array(1) };
  return { carried: initial, sum: zeros, count } as unknown as HostOf<Accumulating<S, G>>;
}

/**
 * Splits a training step in two for batches that don't fit into memory: `add` takes the gradients of a micro-batch into
 * the state, `update` uses their mean over the micro-batches and forgets them. Compile both on one state, which
 * `accumulating` begins. For micro-batches of equal size and a loss that is a mean over the batch, the result is that of
 * the whole batch, up to rounding. An update without any micro-batch before it works with gradients of zero.
 */
export function accumulate<S, B, U, G, O, P, C = Record<string, never>>(steps: {
  readonly gradients: GradientStep<S, B, G, O, C>;
  readonly update: UpdateStep<S, U, G, P, C>;
}): {
  readonly add: Step<Accumulating<S, G>, B, O, C>;
  readonly update: Step<Accumulating<S, G>, U, P, C>;
} {
  return {
    add({ carried, sum, count }, batch, constants) {
      const { gradients, out } = steps.gradients(carried, batch, constants);
      const added = zipTrees(sum as TreeOf<Tensor>, gradients as TreeOf<Tensor>, isTensor, (a, b) =>
        tf.add(a, b),
      );
      return { state: { carried, sum: added as G, count: tf.add(count, 1) }, out };
    },
    update({ carried, sum, count }, batch, constants) {
      const share = tf.div(1, tf.maximum(count, 1));
      const mean = mapTree(sum as TreeOf<Tensor>, isTensor, (each) => tf.mul(each, share));
      const { state, out } = steps.update(carried, mean as G, batch, constants);
      const zeros = mapTree(sum as TreeOf<Tensor>, isTensor, (each) => tf.zerosLike(each));
      return { state: { carried: state, sum: zeros as G, count: tf.zerosLike(count) }, out };
    },
  };
}

/**
 * One step of training: all micro-batches, then the update. Gives what they returned.
 * Throws EngineError if there is no micro-batch. If a micro-batch fails, those before it stay in the sum: write the state as it
 * was (`state.read()` before, `state.write()` after) and begin the step again.
 */
export async function runAccumulated<B, U, O, P>(
  programs: { readonly add: Program<B, O>; readonly update: Program<U, P> },
  microBatches: Iterable<HostOf<B>>,
  updateBatch: HostOf<U>,
): Promise<{ readonly outs: readonly HostOf<O>[]; readonly update: HostOf<P> }> {
  const outs: HostOf<O>[] = [];
  for (const batch of microBatches) outs.push(await programs.add.run(batch));
  if (outs.length === 0) throw new EngineError('a step needs at least one micro-batch; there was none');
  return { outs, update: await programs.update.run(updateBatch) };
}
