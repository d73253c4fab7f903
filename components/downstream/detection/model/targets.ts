import * as tf from '@tensorflow/tfjs-core';
import { areAtLeast, detectionWeights, encodeBoxes, overlaps, pick } from './boxes.ts';
import type { MaskRcnnModelConfig } from './config.ts';
import type { Seen } from './detector.ts';
import { type Draw, matchBoxes, type Sample, sampleBoxes } from './matching.ts';
import { poolMasks } from './pooling.ts';
import { masked, type Proposals, proposalsOf } from './proposals.ts';
import { type RpnTargets, rpnTargets } from './rpn.ts';

/** Objects of images, as a loader gives them. */
export interface Objects {
  /** float32 [B, M, 4]: x0, y0, x1, y1 in pixels of the canvas. */
  readonly boxes: tf.Tensor;
  /** int32 [B, M]: -1 where there is none. */
  readonly classes: tf.Tensor;
  /** int32 [B, M, S / k, S / k] of 0 and 1 */
  readonly masks: tf.Tensor;
  /** int32 [B, 2]: height and width of the picture in the canvas. */
  readonly sizes: tf.Tensor;
}

/** What the heads look at and are to learn. Positive boxes come first. */
export interface Targets {
  readonly rpn: RpnTargets;
  readonly sample: Sample;
  /** Proposals and objects, [B, R, 4]. */
  readonly boxes: tf.Tensor;
  /** Rows of the classes, int32 [B, R]: 0 for the background. */
  readonly rows: tf.Tensor;
  /** For positive boxes, [B, mostPositive, 4]. */
  readonly deltas: tf.Tensor;
  /** float32 [B, mostPositive, side, side], shares of mask in each place. */
  readonly masks: tf.Tensor;
}

/** Where chance comes from: each anchor and each box has a number of its own. */
export interface Chance {
  readonly noise: tf.Tensor;
  readonly draw: Draw;
}

/**
 * Matches and samples anchors, and proposals with the objects among them. Nothing of it has a gradient: call it in
 * `withoutGradient`.
 *
 * @param side of the masks
 */
export function targetsOf(
  { levels }: Pick<Seen, 'levels'>,
  objects: Objects,
  config: MaskRcnnModelConfig,
  { chance, size, side }: { readonly chance: Chance; readonly size: number; readonly side: number },
): Targets {
  const { rpn, boxHead } = config;
  const { boxes, classes, sizes } = objects;
  const [batch, most] = classes.shape as [number, number];
  // A box without area can't be learnt.
  const real = tf.logicalAnd(tf.greaterEqual(classes, tf.scalar(0, 'int32')), areAtLeast(boxes, 1e-6));
  const anchors = tf.concat(
    levels.map((level) => level.anchors),
    0,
  ) as tf.Tensor2D;
  const choice = { before: rpn.before.train, after: rpn.after.train, overlap: rpn.overlap };
  const proposals = withObjects(proposalsOf(levels, tf.cast(sizes, 'float32'), choice), boxes, real);
  const count = proposals.real.shape[1]!;
  const chances = chance.draw(chance.noise, batch, anchors.shape[0] + count);
  const [ofAnchors, ofBoxes] = tf.split(chances, [anchors.shape[0], count], 1) as [tf.Tensor, tf.Tensor];
  const matched = matchBoxes(overlaps(boxes, tf.expandDims(anchors, 0)), real, { ...rpn, best: true });
  const sampled = sampleBoxes(matched, ofAnchors, { count: rpn.samples, share: rpn.positives });
  const ofBoxHead = boxTargets(proposals, { ...objects, real }, boxHead, ofBoxes);
  return {
    ...ofBoxHead,
    rpn: rpnTargets(sampled, matched, anchors, boxes),
    masks: maskTargets(ofBoxHead, objects, { most, size, side }),
  };
}

/** Objects are proposals, too, so that there are positive ones from the first step. */
function withObjects(proposals: Proposals, boxes: tf.Tensor, real: tf.Tensor): Proposals {
  return {
    boxes: tf.concat([proposals.boxes, masked(boxes, real)], 1),
    real: tf.concat([proposals.real, real], 1),
  };
}

function boxTargets(
  proposals: Proposals,
  { boxes: objects, classes, real }: Pick<Objects, 'boxes' | 'classes'> & { readonly real: tf.Tensor },
  { samples, positives, positiveFrom }: MaskRcnnModelConfig['boxHead'],
  chances: tf.Tensor,
) {
  const rule = { positiveFrom, negativeBelow: positiveFrom };
  const { object, positive, negative } = matchBoxes(overlaps(objects, proposals.boxes), real, rule);
  const matched = {
    positive: tf.logicalAnd(positive, proposals.real),
    negative: tf.logicalAnd(negative, proposals.real),
  };
  const sample = sampleBoxes(matched, chances, { count: samples, share: positives });
  const [batch] = objects.shape as [number];
  const boxes = masked(pick(proposals.boxes, sample.rows), tf.greater(sample.real, 0));
  const first = (x: tf.Tensor) => tf.slice(x, [0, 0], [batch, sample.mostPositive]);
  const own = pick(object, first(sample.rows));
  const isPositive = tf.cast(first(sample.positive), 'int32');
  const row = tf.mul(tf.add(pick(classes, own), tf.scalar(1, 'int32')), isPositive);
  const background = sample.rows.shape[1]! - sample.mostPositive;
  return {
    sample,
    boxes,
    object: own,
    rows:
      background === 0
        ? row
        : tf.pad(row as tf.Tensor2D, [
            [0, 0],
            [0, background],
          ]),
    deltas: encodeBoxes(pick(objects, own), first(boxes), detectionWeights),
  };
}

/** The masks of the objects, cut at the positive boxes. */
function maskTargets(
  { boxes, object, sample }: ReturnType<typeof boxTargets>,
  { masks }: Objects,
  { most, size, side }: { readonly most: number; readonly size: number; readonly side: number },
): tf.Tensor {
  const [batch, , height, width] = masks.shape as [number, number, number, number];
  const count = sample.mostPositive;
  const images = tf.reshape(tf.mul(tf.range(0, batch, 1, 'int32'), tf.scalar(most, 'int32')), [batch, 1]);
  const which = tf.reshape(tf.add(object, images), [batch * count]);
  const own = tf.gather(tf.reshape(masks, [batch * most, height, width]), which as tf.Tensor1D);
  const cut = tf.reshape(tf.slice(boxes, [0, 0, 0], [batch, count, 4]), [batch * count, 4]);
  const pooled = poolMasks(tf.cast(own, 'float32') as tf.Tensor3D, tf.mul(cut, width / size), side);
  return tf.reshape(pooled, [batch, count, side, side]);
}
