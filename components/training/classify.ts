import type * as tf from '@tensorflow/tfjs-core';
import { orderedBatches } from '../data/order.ts';
import type { Dataset } from '../data/types.ts';
import type { Engine, HostOf, State } from '../engine/types.ts';
import { firstNonFinite } from '../nn/finite.ts';
import { hostTensor } from '../nn/tree.ts';

export interface ForwardOptions<S> {
  readonly name: string;
  readonly state: State<S>;
  /** images [B, H, W, 3] -> rows [B, D]. */
  readonly apply: (state: S, images: tf.Tensor) => tf.Tensor;
  readonly batchSize?: number;
  /** Gets the rows of a batch, [n, D], in the order of the images, and how many images are done with them. */
  readonly onRows: (rows: Float32Array, done: number) => void;
}

/**
 * Applies a function to every image of a data set, in order.
 *
 * @throws Error if a row holds NaN or an infinity: the largest of such numbers would be a class like any other
 */
export async function forward<S>(
  engine: Engine,
  dataset: Dataset,
  { name, state, apply, batchSize = 100, onRows }: ForwardOptions<S>,
): Promise<void> {
  const shape = [batchSize, dataset.size, dataset.size, 3];
  const program = await engine.compile({
    name,
    state,
    step: (frozen: S, batch: { images: tf.Tensor }) => ({
      state: frozen,
      out: { rows: apply(frozen, batch.images) },
    }),
    batch: { images: { shape } },
  });
  let done = 0;
  for (const { indices, count } of orderedBatches(dataset.count, batchSize)) {
    const batch = { images: hostTensor(shape, dataset.read(indices)) } as HostOf<{ images: tf.Tensor }>;
    const { rows } = await program.run(batch);
    const values = (rows.data as Float32Array).subarray(0, count * rows.shape[1]);
    const bad = firstNonFinite(values);
    if (bad !== undefined) {
      throw new Error(`${name}: images from ${done} on give ${bad}: the weights are too large for float32.`);
    }
    done += count;
    onRows(values, done);
  }
  program.dispose();
}

/** How many rows [N, K] have their largest entry (the first of equals) at the label. */
export function countRight(rows: Float32Array, labels: ArrayLike<number>): number {
  const width = rows.length / labels.length;
  let right = 0;
  for (let row = 0; row < labels.length; row++) {
    let best = 0;
    for (let k = 1; k < width; k++) if (rows[row * width + k] > rows[row * width + best]) best = k;
    if (best === labels[row]) right++;
  }
  return right;
}
