import * as tf from '@tensorflow/tfjs-core';
import { keptBoxes } from '../../../engine/suppress.ts';
import { evaluationNorms, type RunningStatistics } from '../../../nn/batch-norm.ts';
import { areAtLeast, clipBoxes, decodeBoxes, detectionWeights, pick } from './boxes.ts';
import { type Detector, type DetectorConfig, look, type Seen } from './detector.ts';
import { applyBoxHead, applyMaskHead } from './heads.ts';
import { assignLevels, poolBoxes } from './pooling.ts';
import { masked, type Proposals, proposalsOf } from './proposals.ts';

/** What is found in images, D to each at most, the best first. */
export interface Detections<T> {
  /** float32 [B, D, 4]: x0, y0, x1, y1 in pixels of the canvas; zeros where there is none. */
  readonly boxes: T;
  /** float32 [B, D]: from 0 to 1; -1 where there is none. */
  readonly scores: T;
  /** int32 [B, D]: -1 where there is none. */
  readonly classes: T;
  /** float32 [B, D, 28, 28]: probabilities of the places of each box, top left first. */
  readonly masks: T;
}

/** What of the state of a training a detector needs. */
export interface Trained<T> {
  readonly parameters: Detector<T>;
  readonly rest: RunningStatistics<T>;
}

/** Detections have sides of at least so many pixels (torchvision). */
const leastSide = 1e-2;

/**
 * Finds objects, as torchvision's `MaskRCNN` does in evaluation.
 *
 * @param images uint8 [B, S, S, 3]: each picture in the top left corner
 * @param sizes int32 [B, 2]: height and width of the picture in the canvas
 */
export function detect(
  { parameters, rest }: Trained<tf.Tensor>,
  config: DetectorConfig,
  images: tf.Tensor,
  sizes: tf.Tensor,
): Detections<tf.Tensor> {
  const seen = look(parameters, config, images, { norm: evaluationNorms(rest) });
  return findObjects(parameters, config, seen, tf.cast(sizes, 'float32'));
}

/** The same of what was seen; `sizes` as float32. */
export function findObjects(
  { boxHead, maskHead }: Pick<Detector<tf.Tensor>, 'boxHead' | 'maskHead'>,
  config: DetectorConfig,
  { levels, stack }: Seen,
  sizes: tf.Tensor,
): Detections<tf.Tensor> {
  const { rpn, pooling } = config;
  const cutAt = (boxes: tf.Tensor, size: number) => {
    const level = assignLevels(boxes, stack.levels, pooling);
    const cut = poolBoxes(stack, boxes, level, { size, samples: pooling.samples });
    return tf.reshape(cut, [cut.shape[0]! * cut.shape[1]!, size, size, cut.shape[4]!]);
  };
  const choice = { before: rpn.before.test, after: rpn.after.test, overlap: rpn.overlap };
  const proposals = proposalsOf(levels, sizes, choice);
  const said = applyBoxHead(boxHead, cutAt(proposals.boxes, config.boxHead.size));
  const best = bestOf(proposals, said, sizes, config.detections);
  const [batch, most] = best.classes.shape as [number, number];
  const classes = tf.maximum(best.classes, tf.scalar(0, 'int32'));
  const logits = applyMaskHead(
    maskHead,
    cutAt(best.boxes, config.maskHead.size),
    tf.reshape(classes, [batch * most]),
  );
  const [, height, width] = logits.shape;
  return { ...best, masks: tf.reshape(tf.sigmoid(logits), [batch, most, height, width]) };
}

/** The best detections of all classes, suppressed class by class (torchvision, `postprocess_detections`). */
function bestOf(
  { boxes: from, real }: Proposals,
  { logits, deltas }: ReturnType<typeof applyBoxHead>,
  sizes: tf.Tensor,
  { score, overlap, most }: DetectorConfig['detections'],
) {
  const [batch, count] = real.shape as [number, number];
  const classes = deltas.shape[1];
  const all = tf.reshape(tf.softmax(logits), [batch, count, 1 + classes]);
  const chances = tf.slice(all, [0, 0, 1], [batch, count, classes]);
  const moves = tf.reshape(deltas, [batch, count, classes, 4]);
  const moved = decodeBoxes(moves, tf.expandDims(from, 2), detectionWeights);
  const boxes = clipBoxes(moved, sizes);
  const good = tf.logicalAnd(tf.greater(chances, score), areAtLeast(boxes, leastSide));
  const counted = tf.logicalAnd(good, tf.expandDims(real, 2));
  // [B, count, classes] -> a row for each image and class, its boxes in the order of their scores.
  const ofClass = tf.transpose(tf.where(counted, chances, tf.scalar(-1)), [0, 2, 1]);
  const ordered = tf.topk(tf.reshape(ofClass, [batch * classes, count]), count);
  const rowBoxes = tf.reshape(tf.transpose(boxes, [0, 2, 1, 3]), [batch * classes, count, 4]);
  const orderedBoxes = pick(rowBoxes, ordered.indices);
  const kept = keptBoxes(orderedBoxes, tf.greater(ordered.values, 0), overlap);
  const scores = tf.where(kept, ordered.values, tf.scalar(-1));
  const best = tf.topk(tf.reshape(scores, [batch, classes * count]), Math.min(most, classes * count));
  const found = tf.greater(best.values, 0);
  const own = tf.floorDiv(best.indices, tf.scalar(count, 'int32'));
  return {
    scores: best.values,
    classes: tf.where(found, own, tf.scalar(-1, 'int32')),
    boxes: masked(pick(tf.reshape(orderedBoxes, [batch, classes * count, 4]), best.indices), found),
  };
}
