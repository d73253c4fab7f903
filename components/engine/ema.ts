import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { TreeOf } from './tree.ts';
import { isTensor, zipTrees } from './tree.ts';
import { EngineError } from './types.ts';

/**
 * The exponential moving average of weights after one more step, `decay * average + (1 - decay) * weights`, as
 * `ModelEma` of timm computes it: integers and bools (counters, masks) are taken over as they are.
 * To be called in a step whose state holds both; evaluate with the average by a program on the same state.
 * `decay` is a number from 0 to 1, or a scalar from the batch (for a warm-up).
 * Throws EngineError for trees of different form, and for a decay outside 0..1.
 */
export function movingAverage<W>(average: W, weights: W, decay: number | Tensor): W {
  if (typeof decay === 'number' && !(decay >= 0 && decay <= 1))
    throw new EngineError(`the decay of a moving average is a number from 0 to 1, not ${decay}`);
  const rest = tf.sub(1, decay);
  const blend = (old: Tensor, now: Tensor) =>
    old.dtype === 'float32' ? tf.add(tf.mul(old, decay), tf.mul(now, rest)) : now;
  return zipTrees(average as TreeOf<Tensor>, weights as TreeOf<Tensor>, isTensor, blend) as W;
}
