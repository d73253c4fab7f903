import * as tf from '@tensorflow/tfjs-core';
import { keptBoxes } from '../../../engine/suppress.ts';
import { areAtLeast, clipBoxes, decodeBoxes, pick, proposalWeights } from './boxes.ts';

/** Boxes in which there may be an object. */
export interface Proposals {
  /** float32 [B, P, 4], the best first; zeros where there is none. */
  readonly boxes: tf.Tensor;
  /** bool [B, P] */
  readonly real: tf.Tensor;
}

/** What the proposal network says of the anchors of a level. */
export interface LevelOutput {
  /** [B, N] */
  readonly logits: tf.Tensor;
  /** [B, N, 4] */
  readonly deltas: tf.Tensor;
  /** [N, 4] */
  readonly anchors: tf.Tensor;
}

export interface Choice {
  /** Best anchors of a level that are looked at. */
  readonly before: number;
  /** Best proposals of an image that remain. */
  readonly after: number;
  readonly overlap: number;
}

/** Proposals have sides of at least so many pixels (torchvision). */
const leastSide = 1e-3;

/** Less than every logit. */
const lowest = -3e38;

/**
 * The best proposals of each image: of each level the best `before` anchors, moved, cut at the picture's borders, and
 * suppressed within the level; of what remains of all levels the best `after` (torchvision, `filter_proposals`, but in the
 * order of the logits, where it takes probabilities, which round to 1). No gradient.
 *
 * @param sizes float32 [B, 2]: height and width of the pictures
 */
export function proposalsOf(
  levels: readonly LevelOutput[],
  sizes: tf.Tensor,
  { before, after, overlap }: Choice,
): Proposals {
  const found = levels.map(({ logits, deltas, anchors }) => {
    const { values, indices } = tf.topk(logits, Math.min(before, logits.shape[1]!));
    const from = tf.gather(anchors, indices as tf.Tensor2D);
    const boxes = clipBoxes(decodeBoxes(pick(deltas, indices), from, proposalWeights), sizes);
    const kept = keptBoxes(boxes, areAtLeast(boxes, leastSide), overlap);
    return { boxes, scores: tf.where(kept, values, tf.scalar(lowest)) };
  });
  const scores = tf.concat(
    found.map((each) => each.scores),
    1,
  );
  const boxes = tf.concat(
    found.map((each) => each.boxes),
    1,
  );
  const best = tf.topk(scores, Math.min(after, scores.shape[1]!));
  const real = tf.greater(best.values, lowest);
  return { real, boxes: masked(pick(boxes, best.indices), real) };
}

/** Boxes [B, N, 4], zeros where there is none. */
export function masked(boxes: tf.Tensor, real: tf.Tensor): tf.Tensor {
  return tf.where(tf.expandDims(real, -1), boxes, tf.scalar(0));
}
