import * as tf from '@tensorflow/tfjs-core';
import type { Draw as DropDraw } from '../../../backbone/drop-path.ts';
import { pyramidNorm } from '../../../backbone/pyramid-config.ts';
import type { HostTensor } from '../../../engine/types.ts';
import { batchNormRest, type RunningStatistics, trainingNorms } from '../../../nn/batch-norm.ts';
import { crossEntropy } from '../../../nn/losses.ts';
import { random } from '../../../nn/random.ts';
import { hostTensor } from '../../../nn/tree.ts';
import { withoutGradient } from '../../../training/gradients.ts';
import type { Objective } from '../../../training/objective.ts';
import { layersAfter } from '../../body.ts';
import { maskSide } from './config.ts';
import { type Detector, type DetectorConfig, look, type Seen } from './detector.ts';
import { applyBoxHead, applyMaskHead } from './heads.ts';
import { binaryCrossEntropy, perCount, smoothL1 } from './losses.ts';
import { type Draw, drawUniform } from './matching.ts';
import { assignLevels, poolBoxes } from './pooling.ts';
import { rpnLosses } from './rpn.ts';
import { type Objects, type Targets, targetsOf } from './targets.ts';

/** Images of a training with their objects, M to each. */
export interface DetectionTensors<T> {
  /** uint8 [B, S, S, 3]: each picture in the top left corner. */
  readonly images: T;
  /** float32 [B, M, 4]: x0, y0, x1, y1 in pixels of the canvas. */
  readonly boxes: T;
  /** int32 [B, M]: -1 where there is no object. */
  readonly classes: T;
  /** uint8 [B, M, S / k, S / k] of 0 and 1. */
  readonly masks: T;
  /** int32 [B, 2]: height and width of the picture in the canvas. */
  readonly sizes: T;
  /** int32 [3], of `samplingNoise`. */
  readonly sampling: T;
  /** int32 [3], of `dropPathNoise`; absent where no branch is left out. */
  readonly noise?: T;
}

/**
 * What the batch of a step carries for the choice of anchors and proposals: the key of the step's numbers and how many images
 * of the batch come before. A row is an image, so micro-batches choose what the batch would.
 */
export function samplingNoise(seed: number, { step, first }: { step: number; first: number }): HostTensor {
  const { keys } = random(seed, 'detection sampling', step);
  return hostTensor([3], Int32Array.of(...keys, first));
}

/** The five losses, each as torchvision's Mask R-CNN has it; they are summed up. */
export interface DetectionLosses {
  readonly objectness: tf.Scalar;
  readonly proposals: tf.Scalar;
  readonly classes: tf.Scalar;
  readonly boxes: tf.Scalar;
  readonly masks: tf.Scalar;
}

export interface ObjectiveOptions {
  readonly config: DetectorConfig & { readonly dropPath: number };
  readonly start: Detector<HostTensor>;
  /** Default: `uniformRows`. */
  readonly draw?: Draw;
  readonly drawDropPath?: DropDraw;
}

/**
 * Mask R-CNN's training. Means of a batch are over its sampled anchors, boxes and positive boxes, as in torchvision: those of
 * micro-batches are the batch's where all have as many.
 */
export function detectionObjective({
  config,
  start,
  draw = drawUniform,
  drawDropPath,
}: ObjectiveOptions): Objective<
  Detector<tf.Tensor>,
  DetectionTensors<tf.Tensor>,
  undefined,
  Record<string, never>,
  RunningStatistics<tf.Tensor>,
  { readonly [layer: string]: tf.Tensor }
> {
  const { backbone, dropPath } = config;
  return {
    name: 'detection',
    init: () => start,
    sometimes: ['positions'],
    loss(parameters, { batch, rest }) {
      const { images, sampling, noise, ...objects } = batch;
      const { norm, statistics } = trainingNorms(rest);
      const dropped = noise && { rate: dropPath, noise, ...(drawDropPath ? { draw: drawDropPath } : {}) };
      const seen = look(parameters, config, images, { norm, dropPath: dropped });
      const chance = { noise: sampling, draw };
      const losses = lossesOf(parameters, config, seen, objects, { chance, size: images.shape[1]! });
      return { loss: tf.addN(Object.values(losses)) as tf.Scalar, shown: { ...losses }, statistics };
    },
    rest: batchNormRest({ [pyramidNorm]: backbone.dim }),
    layersAfter: (path) => layersAfter(path, backbone.depth),
  };
}

/** All losses of what was seen of images with these objects; `size` is the side of the canvas. */
export function lossesOf(
  heads: Pick<Detector<tf.Tensor>, 'boxHead' | 'maskHead'>,
  config: DetectorConfig,
  seen: Seen,
  objects: Objects,
  { chance, size }: { readonly chance: { noise: tf.Tensor; draw: Draw }; readonly size: number },
): DetectionLosses {
  const targets = withoutGradient(() =>
    targetsOf(seen, objects, config, { chance, size, side: maskSide(config) }),
  );
  return {
    ...rpnLosses(seen.levels, targets.rpn),
    ...boxLosses(heads, config, seen, targets),
    masks: maskLoss(heads, config, seen, targets),
  };
}

/** Classes of rows, of which 0 is the background: of that any, since its boxes count for nothing. */
function classesOf(rows: tf.Tensor): tf.Tensor {
  return tf.maximum(tf.sub(rows, tf.scalar(1, 'int32')), tf.scalar(0, 'int32'));
}

/** Cross-entropy of the sampled boxes' classes, and smooth L1 of the positive ones (torchvision, `fastrcnn_loss`). */
function boxLosses(
  { boxHead }: Pick<Detector<tf.Tensor>, 'boxHead'>,
  config: DetectorConfig,
  { stack }: Seen,
  { boxes, rows, deltas, sample }: Targets,
) {
  const [batch, count] = rows.shape as [number, number];
  const { mostPositive, real, positive } = sample;
  const level = assignLevels(boxes, stack.levels, config.pooling);
  const { size } = config.boxHead;
  const cut = poolBoxes(stack, boxes, level, { size, samples: config.pooling.samples });
  const said = applyBoxHead(boxHead, tf.reshape(cut, [batch * count, size, size, -1]));
  const weights = tf.reshape(real, [batch * count]);
  const classes = said.deltas.shape[1];
  const first = (x: tf.Tensor, width: number) =>
    tf.reshape(tf.slice(tf.reshape(x, [batch, count, width]), [0, 0, 0], [batch, mostPositive, width]), [
      batch * mostPositive,
      width,
    ]);
  const learnt = first(positive, 1);
  // Of the four numbers of each class those of the object's class.
  const moves = tf.reshape(first(said.deltas, classes * 4), [batch * mostPositive * classes, 4]);
  const starts = tf.mul(tf.range(0, batch * mostPositive, 1, 'int32'), tf.scalar(classes, 'int32'));
  const own = tf.gather(moves, tf.add(starts, tf.reshape(first(classesOf(rows), 1), [-1])) as tf.Tensor1D);
  const wanted = tf.reshape(deltas, [batch * mostPositive, 4]);
  const targets = tf.where(tf.greater(learnt, 0), wanted, tf.scalar(0));
  return {
    classes: crossEntropy(said.logits, tf.reshape(rows, [batch * count]), { weights }),
    boxes: perCount(smoothL1(own, targets, learnt), tf.sum(real)),
  };
}

/** Binary cross-entropy of the places of the positive boxes' masks, each of its object's class (torchvision, `maskrcnn_loss`). */
function maskLoss(
  { maskHead }: Pick<Detector<tf.Tensor>, 'maskHead'>,
  config: DetectorConfig,
  { stack }: Seen,
  { boxes, rows, masks, sample }: Targets,
): tf.Scalar {
  const [batch] = rows.shape as [number];
  const { mostPositive } = sample;
  const { size } = config.maskHead;
  const first = (x: tf.Tensor) =>
    tf.slice(
      x,
      x.shape.map(() => 0),
      [batch, mostPositive, ...x.shape.slice(2)],
    );
  const own = first(boxes);
  const level = assignLevels(own, stack.levels, config.pooling);
  const cut = poolBoxes(stack, own, level, { size, samples: config.pooling.samples });
  const each = tf.reshape(cut, [batch * mostPositive, size, size, -1]);
  const logits = applyMaskHead(maskHead, each, tf.reshape(first(classesOf(rows)), [batch * mostPositive]));
  const positive = tf.reshape(first(sample.positive), [batch * mostPositive, 1, 1]);
  const weights = tf.mul(positive, tf.onesLike(logits));
  return perCount(binaryCrossEntropy(logits, tf.reshape(masks, logits.shape), weights), tf.sum(weights));
}
