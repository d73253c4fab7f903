import type { HostTensor } from '../engine/types.ts';
import { random } from '../nn/random.ts';
import { imagesAt } from './loader.ts';
import { shuffledBatches } from './order.ts';
import type { Dataset } from './types.ts';
import { flipRows } from './views/augment.ts';
import { plainView, sizeOf } from './views/view.ts';

export interface ImageBatchOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Keeps the streams of different trainings apart: `tokenizer`, `pretraining`, ... */
  readonly purpose: string;
  /** Mirror each image with probability one half. */
  readonly flip: boolean;
}

/** The images of a step. */
export interface ImageBatch {
  /** [batchSize, size, size, 3] in [0, 1]. */
  readonly images: HostTensor;
  /** Which images they are. */
  readonly indices: Int32Array;
  /** 1 where an image is mirrored. */
  readonly flips: Uint8Array;
}

/** The batch of a step (0-based): a pure function of the data, the options and the step. */
export function imageBatches(
  dataset: Dataset,
  { batchSize, seed, purpose, flip }: ImageBatchOptions,
): (step: number) => Promise<ImageBatch> {
  const { count } = dataset;
  const size = sizeOf(plainView, dataset);
  const batches = shuffledBatches({ count, batch: batchSize, seed, purpose });
  return async (step) => {
    const indices = batches.at(step);
    const images = await imagesAt(dataset, indices);
    const draw = random(seed, purpose, 'flip', step);
    const flips = Uint8Array.from(indices, () => (flip && draw.uniform() < 0.5 ? 1 : 0));
    flipRows(images.data as Float32Array, flips, size);
    return { images, indices, flips };
  };
}
