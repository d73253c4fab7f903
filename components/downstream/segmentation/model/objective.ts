import * as tf from '@tensorflow/tfjs-core';
import type { Draw } from '../../../backbone/drop-path.ts';
import { noClass } from '../../../data/targets.ts';
import type { HostTensor } from '../../../engine/types.ts';
import { batchNormRest, type RunningStatistics, trainingNorms } from '../../../nn/batch-norm.ts';
import { crossEntropy } from '../../../nn/losses.ts';
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
  const rows = tf.reshape(resize(logits, [height, width]), [-1, classes]);
  const flat = tf.reshape(labels, [-1]);
  const known = tf.cast(tf.notEqual(flat, tf.scalar(noClass, 'int32')), 'float32');
  // The weighted mean is over the pixels that have a class.
  const share = tf.mean(known);
  return {
    loss: tf.mul(crossEntropy(rows, flat, { weights: known }), share),
    accuracy() {
      const right = tf.cast(tf.equal(tf.argMax(rows, -1), flat), 'float32');
      return tf.div(tf.sum(tf.mul(right, known)), tf.maximum(tf.sum(known), 1));
    },
  };
}
