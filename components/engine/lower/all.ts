import { binaryLowerings } from './binary.ts';
import { convLowerings } from './conv.ts';
import { depthwiseLowerings } from './depthwise.ts';
import { gatherLowerings } from './gather.ts';
import type { Lowerings } from './lowering.ts';
import { poolLowerings } from './pool.ts';
import { reduceLowerings } from './reduce.ts';
import { resizeLowerings } from './resize.ts';
import { shapeLowerings } from './shape.ts';
import { unaryLowerings } from './unary.ts';

/** Every tfjs kernel that can be compiled. */
export const lowerings: Lowerings = {
  ...unaryLowerings,
  ...binaryLowerings,
  ...shapeLowerings,
  ...reduceLowerings,
  ...gatherLowerings,
  ...convLowerings,
  ...depthwiseLowerings,
  ...poolLowerings,
  ...resizeLowerings,
};

/** What to use instead of a kernel that can't be compiled. */
export const alternatives: { readonly [kernel: string]: string } = {
  Cumprod: 'use tf.exp(tf.cumsum(tf.log(x))) for positive x',
  Multinomial: 'draw on the host and pass the result in the batch',
  Where: 'the number of results depends on values; multiply by a mask or use tf.where(condition, a, b)',
  Unique: 'the number of results depends on values; compute it on the host',
  NonMaxSuppressionV3: 'the number of results depends on values; compute it on the host',
  NonMaxSuppressionV4: 'the number of results depends on values; compute it on the host',
  NonMaxSuppressionV5: 'the number of results depends on values; compute it on the host',
  LRN: 'use tf.batchNorm, or write it with tf.avgPool of the squares',
  Complex: 'complex numbers are not compiled; keep real and imaginary parts apart',
  FusedDepthwiseConv2D: 'use tf.depthwiseConv2d and add bias and activation yourself',
};
