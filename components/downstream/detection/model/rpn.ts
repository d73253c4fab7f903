import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../../engine/types.ts';
import { normal, zeros } from '../../../nn/init.ts';
import { type Affine, conv, dense } from '../../../nn/layers.ts';
import type { Random } from '../../../nn/random.ts';
import { encodeBoxes, pick, proposalWeights } from './boxes.ts';
import { binaryCrossEntropy, perCount, smoothL1 } from './losses.ts';
import type { Matches, Sample } from './matching.ts';
import type { LevelOutput } from './proposals.ts';

/** Region proposal network (Ren et al. 2015): the same for all levels. */
export interface Rpn<T> {
  /** 3 x 3, followed by a ReLU. */
  readonly convolution: Affine<T>;
  /** Whether there is an object: a logit for each anchor of a place. */
  readonly objectness: Affine<T>;
  /** What moves each anchor: four numbers. */
  readonly deltas: Affine<T>;
}

/** Normal numbers of deviation 0.01, biases 0, as torchvision's `RPNHead`. */
export function initRpn(random: Random, channels: number, anchors: number): Rpn<HostTensor> {
  const affine = (...shape: number[]): Affine<HostTensor> => ({
    weight: normal(random, 0.01, ...shape),
    bias: zeros(shape.at(-1)!),
  });
  return {
    convolution: affine(3, 3, channels, channels),
    objectness: affine(channels, anchors),
    deltas: affine(channels, anchors * 4),
  };
}

/** What it says of the anchors of each map [B, side, side, channels], in the order of `anchorsOf`. */
export function applyRpn(
  rpn: Rpn<tf.Tensor>,
  maps: readonly tf.Tensor4D[],
  anchors: readonly tf.Tensor2D[],
): LevelOutput[] {
  return maps.map((map, level) => {
    const batch = map.shape[0];
    const hidden = tf.relu(conv(map, rpn.convolution));
    return {
      logits: tf.reshape(dense(hidden, rpn.objectness), [batch, -1]),
      deltas: tf.reshape(dense(hidden, rpn.deltas), [batch, -1, 4]),
      anchors: anchors[level]!,
    };
  });
}

export interface RpnTargets {
  readonly sample: Sample;
  /** What the positive anchors of the sample are to learn, [B, mostPositive, 4]. */
  readonly deltas: tf.Tensor;
}

/** What anchors are to learn of the objects that they were matched to; `anchors` [N, 4], `boxes` [B, M, 4]. */
export function rpnTargets(
  sample: Sample,
  { object }: Pick<Matches, 'object'>,
  anchors: tf.Tensor2D,
  boxes: tf.Tensor,
): RpnTargets {
  const [batch] = boxes.shape as [number];
  const rows = tf.slice(sample.rows, [0, 0], [batch, sample.mostPositive]);
  const wanted = pick(boxes, pick(object, rows));
  return {
    sample,
    deltas: encodeBoxes(wanted, tf.gather(anchors, rows as tf.Tensor2D), proposalWeights),
  };
}

/**
 * Losses of the proposals, as torchvision's `compute_loss`: the binary cross-entropy of the sampled anchors, and smooth L1 of the
 * positive ones, summed over their four numbers and divided by how many anchors were sampled.
 */
export function rpnLosses(levels: readonly LevelOutput[], { sample, deltas }: RpnTargets) {
  const all = (of: (level: LevelOutput) => tf.Tensor) => tf.concat(levels.map(of), 1);
  const { rows, positive, real, mostPositive } = sample;
  const [batch] = rows.shape as [number];
  const count = tf.sum(real);
  const first = (x: tf.Tensor) => tf.slice(x, [0, 0], [batch, mostPositive]);
  const logits = pick(
    all((level) => level.logits),
    rows,
  );
  const moves = pick(
    all((level) => level.deltas),
    first(rows),
  );
  const learnt = tf.expandDims(first(positive), 2);
  // Where nothing is learnt there may be no box, and then no finite target.
  const targets = tf.where(tf.greater(learnt, 0), deltas, tf.scalar(0));
  return {
    objectness: perCount(binaryCrossEntropy(logits, positive, real), count),
    proposals: perCount(smoothL1(moves, targets, learnt), count),
  };
}
