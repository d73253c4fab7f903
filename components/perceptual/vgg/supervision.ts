import type { Dataset } from '../../data/types.ts';
import { rotateQuarters } from '../../data/views/augment.ts';
import type { Random } from '../../nn/random.ts';
import type { VggConfig } from './config.ts';

/** What a network learns to tell of an image. */
export interface VggSupervision {
  /** How many answers there are. */
  readonly classes: number;
  /**
   * The images of a batch as the network sees them, `[n, size, size, 3]`, and the right answers, int32 `[n]`.
   *
   * @param pixels of the images at `indices`, `[n, size, size, 3]`
   */
  pose(
    pixels: Float32Array,
    indices: Int32Array,
    random: Random,
  ): { images: Float32Array; answers: Int32Array };
}

/**
 * `labels`: those of the data. `rotations`: by how many quarter turns an image was rotated (Gidaris et al. 2018,
 * "Unsupervised representation learning by predicting image rotations"), drawn for each image; no label is read.
 */
export function supervisionOf(
  { supervision }: Pick<VggConfig, 'supervision'>,
  dataset: Dataset,
): VggSupervision {
  if (supervision === 'labels') {
    return {
      classes: dataset.classes.length,
      pose: (pixels, indices) => ({
        images: pixels,
        answers: Int32Array.from(indices, (index) => dataset.labels[index]),
      }),
    };
  }
  return {
    classes: 4,
    pose: (pixels, indices, random) => {
      const answers = Int32Array.from(indices, () => random.int(4));
      return { images: rotateQuarters(pixels, answers, dataset.size), answers };
    },
  };
}
