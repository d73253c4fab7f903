import * as tf from '@tensorflow/tfjs-core';
import { uniformRows } from '../../../engine/uniform.ts';
import { pick } from './boxes.ts';

/** What numbers in (0, 1), [rows, columns], are made of what a batch carries for them. */
export type Draw = (noise: tf.Tensor, rows: number, columns: number) => tf.Tensor;

/** Default of `Draw`: `noise` is int32 [3]. */
export const drawUniform: Draw = uniformRows;

export interface Rule {
  /** Overlap with an object from which a box is positive. */
  readonly positiveFrom: number;
  /** Overlap below which it is negative; between them it is neither. */
  readonly negativeBelow: number;
  /** Whether the boxes that overlap most with an object are positive whatever their overlap is (Ren et al. 2015). */
  readonly best?: boolean;
}

export interface Matches {
  /** Which object each box overlaps most, the first of equals: int32 [B, N]. Of an image without objects 0. */
  readonly object: tf.Tensor;
  /** bool [B, N] */
  readonly positive: tf.Tensor;
  /** bool [B, N] */
  readonly negative: tf.Tensor;
}

/**
 * Which boxes are objects, and of which (torchvision, `Matcher`).
 *
 * @param overlap [B, M, N] of objects and boxes
 * @param real bool [B, M]: whether there is an object; where there is none, all boxes are negative
 */
export function matchBoxes(overlap: tf.Tensor, real: tf.Tensor, rule: Rule): Matches {
  const { positiveFrom, negativeBelow, best = false } = rule;
  const there = tf.expandDims(real, 2);
  const quality = tf.where(there, overlap, tf.scalar(-1)) as tf.Tensor3D;
  const most = tf.max(quality, 1);
  const object = tf.argMax(quality, 1);
  const high = tf.greaterEqual(most, positiveFrom);
  const low = tf.less(most, negativeBelow);
  if (!best) return { object, positive: high, negative: low };
  // All that are equal: also every box of an image, where an object overlaps none, as in torchvision.
  const ofObject = tf.logicalAnd(tf.equal(quality, tf.max(quality, 2, true)), there);
  const chosen = tf.any(ofObject, 1);
  return {
    object,
    positive: tf.logicalOr(high, chosen),
    negative: tf.logicalAnd(low, tf.logicalNot(chosen)),
  };
}

/** Boxes that a loss looks at, positive ones first. */
export interface Sample {
  /** Numbers of boxes, int32 [B, K]; any number where there is no box. */
  readonly rows: tf.Tensor;
  /** float32 [B, K]: 1 for a positive box, 0 otherwise. Only the first `mostPositive` can be. */
  readonly positive: tf.Tensor;
  /** float32 [B, K]: 1 where there is a box. */
  readonly real: tf.Tensor;
  readonly mostPositive: number;
}

/**
 * At most `count` boxes of each image by chance, of them at most `count * share` positive ones; negative ones take the places that
 * are left (torchvision, `BalancedPositiveNegativeSampler`). Boxes with the greatest of `chances` [B, N] are taken.
 */
export function sampleBoxes(
  { positive, negative }: Pick<Matches, 'positive' | 'negative'>,
  chances: tf.Tensor,
  { count, share }: { readonly count: number; readonly share: number },
): Sample {
  const [batch, boxes] = positive.shape as [number, number];
  const size = Math.min(count, boxes);
  const mostPositive = Math.max(1, Math.min(Math.floor(count * share), boxes));
  const ranked = (which: tf.Tensor, k: number) => tf.topk(tf.where(which, chances, tf.scalar(-1)), k).indices;
  const counted = (which: tf.Tensor) => tf.sum(tf.cast(which, 'int32'), 1, true);
  const whole = (value: number) => tf.scalar(value, 'int32');
  const positives = tf.minimum(counted(positive), whole(Math.min(Math.floor(count * share), boxes)));
  const negatives = tf.minimum(counted(negative), tf.sub(whole(count), positives));
  const place = tf.reshape(tf.range(0, size, 1, 'int32'), [1, size]);
  const isPositive = tf.less(place, positives);
  // The list of positive boxes, then that of negative ones; those begin where the positive ones end.
  const list = tf.concat([ranked(positive, mostPositive), ranked(negative, size)], 1);
  const behind = tf.add(tf.sub(place, positives), whole(mostPositive));
  const last = whole(mostPositive + size - 1);
  const at = tf.minimum(tf.where(isPositive, tf.broadcastTo(place, [batch, size]), behind), last);
  return {
    rows: pick(list, at),
    positive: tf.cast(isPositive, 'float32'),
    real: tf.cast(tf.less(place, tf.add(positives, negatives)), 'float32'),
    mostPositive,
  };
}
