import type { Dataset } from '../../data/types.ts';
import { rotateQuarters } from '../../data/views/augment.ts';
import type { Random } from '../../nn/random.ts';
import type { VggConfig } from './config.ts';

/** What a classifier learns to tell of an image. */
export interface VggSupervision {
  /** How many answers there are. */
  readonly classes: number;
  /**
   * The bytes of the images of a batch as the network sees them, `[n, size, size, 3]`, and the right answers, int32 `[n]`.
   *
   * @param pixels of the images, `[n, size, size, 3]`
   * @param labels of those images
   * @param draw random numbers of the image at a place of the batch
   */
  pose(
    pixels: Uint8Array,
    labels: readonly number[],
    draw: (place: number) => Random,
  ): { images: Uint8Array; answers: Int32Array };
}

/**
 * `supervised`: the labels of the data. `rotations`: by how many quarter turns an image was rotated (Gidaris et al. 2018,
 * "Unsupervised representation learning by predicting image rotations"), drawn for each image; no label is read.
 */
export function supervisionOf(
  objective: Exclude<VggConfig['objective'], 'contrastive'>,
  { classes }: Pick<Dataset, 'classes'>,
): VggSupervision {
  if (objective === 'supervised') {
    return {
      classes: classes.length,
      pose: (pixels, labels) => ({ images: pixels, answers: Int32Array.from(labels) }),
    };
  }
  return {
    classes: 4,
    pose: (pixels, labels, draw) => {
      const answers = Int32Array.from(labels, (_, place) => draw(place).int(4));
      const size = Math.sqrt(pixels.length / (3 * labels.length));
      return { images: rotateQuarters(pixels, answers, size), answers };
    },
  };
}
