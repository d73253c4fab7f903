import type * as tf from '@tensorflow/tfjs-core';
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
  readonly onBatch?: (done: number) => void;
}

/**
 * Applies a function to every image of a data set: float32 rows, [dataset.count, D] as one array.
 *
 * @throws Error if a row holds NaN or an infinity: the largest of such numbers would be a class like any other
 */
export async function forward<S>(
  engine: Engine,
  dataset: Dataset,
  { name, state, apply, batchSize = 100, onBatch = () => {} }: ForwardOptions<S>,
): Promise<{ rows: Float32Array; width: number }> {
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
  let rows = new Float32Array();
  let width = 0;
  for (let first = 0; first < dataset.count; first += batchSize) {
    // The last batch repeats its last image: programs have one fixed batch size.
    const indices = Int32Array.from({ length: batchSize }, (_, i) => Math.min(first + i, dataset.count - 1));
    const batch = { images: hostTensor(shape, dataset.read(indices)) } as HostOf<{ images: tf.Tensor }>;
    const out = (await program.run(batch)).rows;
    if (first === 0) {
      width = out.shape[1];
      rows = new Float32Array(dataset.count * width);
    }
    const used = Math.min(batchSize, dataset.count - first) * width;
    const values = (out.data as Float32Array).subarray(0, used);
    const bad = firstNonFinite(values);
    if (bad !== undefined) {
      throw new Error(`${name}: images from ${first} on give ${bad}: the weights are too large for float32.`);
    }
    rows.set(values, first * width);
    onBatch(Math.min(first + batchSize, dataset.count));
  }
  program.dispose();
  return { rows, width };
}

/** Share of rows [N, K] whose largest entry (the first of equals) is the label. */
export function topOne(rows: Float32Array, width: number, labels: Int32Array): number {
  let right = 0;
  for (let row = 0; row < labels.length; row++) {
    let best = 0;
    for (let k = 1; k < width; k++) if (rows[row * width + k] > rows[row * width + best]) best = k;
    if (best === labels[row]) right++;
  }
  return right / labels.length;
}
