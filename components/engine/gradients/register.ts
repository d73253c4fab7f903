import { getGradient, registerGradient } from '@tensorflow/tfjs-core';
import { elementwiseGradients } from './elementwise.ts';
import { reduceGradients } from './reduce.ts';
import { resizeGradients } from './resize.ts';
import { shapeGradients } from './shape.ts';
import { windowGradients } from './window.ts';

/**
 * tfjs-core's bundle for Node has the machinery of tf.grads but not the gradients of its kernels; those are in files
 * that Node can't import (ES modules without extensions). So the engine brings its own, for both engines.
 * Differences on purpose: operands of maximum and of batched products may be broadcast; |x|' is 0 at 0; comparisons
 * have gradient zero instead of none; einsum, gatherND, scatterND and depthToSpace have one.
 */
export function registerGradients(): void {
  for (const config of [
    ...elementwiseGradients,
    ...shapeGradients,
    ...reduceGradients,
    ...windowGradients,
    ...resizeGradients,
  ]) {
    if (getGradient(config.kernelName) === undefined) registerGradient(config);
  }
}

registerGradients();
