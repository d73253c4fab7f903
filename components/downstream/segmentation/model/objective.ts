import * as tf from '@tensorflow/tfjs-core';
import type { Draw } from '../../../backbone/drop-path.ts';
import { noClass } from '../../../data/targets.ts';
import type { HostTensor } from '../../../engine/types.ts';
import { batchNormRest, type RunningStatistics, trainingNorms } from '../../../nn/batch-norm.ts';
import { random } from '../../../nn/random.ts';
import { hostTensor } from '../../../nn/tree.ts';
import { unit } from '../../../nn/unit.ts';
import type { Named, Objective } from '../../../training/objective.ts';
import { layersAfter } from '../../body.ts';
import { resize } from './layers.ts';
import { type Segmenter, type SegmenterSizes, segment } from './segmenter.ts';
import { normChannels } from './sizes.ts';

export interface SegmentationBatch<T> {
  /** uint8 [B, S, S, 3] */
  readonly images: T;
  /** int32 [B, S, S], `noClass` where a pixel has none. */
  readonly labels: T;
  /** int32 [3], of `dropPathNoise`; absent where no branch is left out. */
  readonly noise?: T;
  /** int32 [3], of `dropoutNoise`; absent where no channel is left out. */
  readonly dropout?: T;
}

/** What the batch of a step carries for dropout: the key of the step's numbers and how many images of the batch come before. */
export function dropoutNoise(
  seed: number,
  { step, first }: { readonly step: number; readonly first: number },
): HostTensor {
  const { keys } = random(seed, 'dropout', step);
  return hostTensor([3], Int32Array.of(...keys, first));
}

/** The part of the config that the loss depends on. */
export interface LossConfig {
  readonly dropPath: number;
  readonly dropout: number;
  readonly auxiliary: { readonly weight: number };
}

/**
 * Cross-entropy of each pixel, logits resized to the label map, and that of the auxiliary head times its weight. The mean is over
 * all pixels, those of no class counting as 0, as mmsegmentation's default (`avg_non_ignore=False`): so micro-batches are
 * parts of one batch, but for batch norms, whose statistics are those of the micro-batch.
 */
export function segmentationObjective(
  config: LossConfig,
  sizes: SegmenterSizes,
  start: Segmenter<HostTensor>,
  draw?: Draw,
): Objective<
  Segmenter<tf.Tensor>,
  SegmentationBatch<tf.Tensor>,
  undefined,
  Named,
  RunningStatistics<tf.Tensor>
> {
  const drawn = draw ? { draw } : {};
  const { backbone } = sizes;
  return {
    name: 'segmentation',
    init: () => start,
    sometimes: ['positions'],
    rest: batchNormRest(normChannels({ ...sizes, dim: backbone.dim })),
    loss(parameters, { batch: { images, labels, noise, dropout }, rest }) {
      const { norm, statistics } = trainingNorms(rest);
      const { logits, auxiliary } = segment(parameters, sizes, unit(images), {
        norm,
        dropPath: noise && { rate: config.dropPath, noise, ...drawn },
        dropout: dropout && { rate: config.dropout, noise: dropout, ...drawn },
      });
      const main = pixelLoss(logits, labels);
      const loss = auxiliary
        ? tf.add(main.loss, tf.mul(pixelLoss(auxiliary, labels).loss, config.auxiliary.weight))
        : main.loss;
      return { loss: loss as tf.Scalar, shown: { accuracy: main.accuracy() }, statistics };
    },
    layersAfter: (path) => layersAfter(path, backbone.depth),
  };
}

/** logits [B, h, w, classes]; labels int32 [B, H, W]. */
export function pixelLoss(
  logits: tf.Tensor4D,
  labels: tf.Tensor,
): { readonly loss: tf.Scalar; accuracy(): tf.Scalar } {
  const [, height, width] = labels.shape as [number, number, number];
  const classes = logits.shape[3];
  const rows = tf.reshape(resize(logits, [height, width]), [-1, classes]) as tf.Tensor2D;
  const flat = tf.reshape(labels, [-1]);
  const known = tf.cast(tf.notEqual(flat, tf.scalar(noClass, 'int32')), 'float32');
  return {
    loss: meanOverAll(rows, flat, known),
    accuracy() {
      const right = tf.cast(tf.equal(tf.argMax(rows, -1), flat), 'float32');
      return tf.div(tf.sum(tf.mul(right, known)), tf.maximum(tf.sum(known), 1));
    },
  };
}

/**
 * Cross-entropy of rows [N, classes], as the mean over all of them, those that aren't known counting as 0. Rows are pixels,
 * hundreds of thousands of a picture, so one tensor of their size is kept for the way back: the gradient itself.
 */
function meanOverAll(rows: tf.Tensor2D, labels: tf.Tensor, known: tf.Tensor): tf.Scalar {
  const [count, classes] = rows.shape;
  const each = tf.reshape(tf.range(0, classes, 1, 'int32'), [1, classes]);
  const isOwn = tf.equal(tf.reshape(labels, [count, 1]), each);
  const share = tf.div(known, count);
  return tf.customGrad((input, save) => {
    const shifted = tf.sub(input as tf.Tensor, tf.max(input as tf.Tensor, -1, true));
    const exponentials = tf.exp(shifted);
    const total = tf.sum(exponentials, -1, true);
    const own = tf.sum(tf.where(isOwn, shifted, tf.zerosLike(shifted)), -1);
    const value = tf.sum(tf.mul(tf.sub(tf.log(tf.reshape(total, [count])), own), share));
    const probabilities = tf.div(exponentials, total);
    const column = tf.reshape(share, [count, 1]);
    const gradient = tf.mul(tf.sub(probabilities, tf.cast(isOwn, 'float32')), column);
    (save as tf.GradSaveFunc)([gradient]);
    return { value, gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.mul(saved!, dy) };
  })(rows) as tf.Scalar;
}
