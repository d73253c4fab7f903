import type { GradConfig } from '@tensorflow/tfjs-core';
import { registerGradient } from '@tensorflow/tfjs-core';
import { elementwiseGradients } from './elementwise.ts';
import { imageGradients } from './image.ts';
import { reduceGradients } from './reduce.ts';
import { resizeGradients } from './resize.ts';
import { scanGradients } from './scan.ts';
import { scatterGradients } from './scatter.ts';
import { shapeGradients } from './shape.ts';
import { stridedGradients } from './strided.ts';
import { windowGradients } from './window.ts';

/** Every gradient of a kernel that the engine knows. */
export const gradients: readonly GradConfig[] = [
  ...elementwiseGradients,
  ...shapeGradients,
  ...stridedGradients,
  ...reduceGradients,
  ...scanGradients,
  ...scatterGradients,
  ...windowGradients,
  ...resizeGradients,
  ...imageGradients,
];

/**
 * tfjs-core's bundle for Node has the machinery of tf.grads but not the gradients of its kernels; those are in files
 * that Node can't import (ES modules without extensions). So the engine brings its own, for both engines.
 * Differences on purpose: operands of maximum and of batched products may be broadcast; |x|' is 0 at 0; comparisons
 * have gradient zero instead of none; average pooling with padding has the gradient of what it computes; and einsum,
 * gatherND, scatterND, depthToSpace, dilated convolutions, strided slices, cumprod, topk, cropAndResize and others,
 * which have none in tfjs, have one.
 */
export function registerGradients(): void {
  // Over tfjs's own, where `@tensorflow/tfjs` was imported before: results must not depend on the order of imports.
  for (const config of gradients) registerGradient(config);
}

registerGradients();
