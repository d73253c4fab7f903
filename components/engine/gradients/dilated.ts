import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

type Pair = [number, number];

/** What tfjs's gradient kernels for convolutions want to know, besides tensors. */
export interface PlainConv {
  readonly strides: number;
  readonly pad: 'valid';
  readonly dataFormat: 'NHWC';
  readonly dilations: number;
}

const plain: PlainConv = { strides: 1, pad: 'valid', dataFormat: 'NHWC', dilations: 1 };

export interface DilatedConv {
  readonly strides: Pair | number;
  readonly dilations?: Pair | number;
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat?: 'NHWC' | 'NCHW';
}

export function isDilated({ dilations }: DilatedConv): boolean {
  return [dilations ?? 1].flat().some((dilation) => dilation !== 1);
}

/** Gradients of a convolution without dilation, padding or strides, NHWC, as both engines have them. */
export interface PlainGradients {
  x(dy: Tensor, filter: Tensor, inputShape: number[], attributes: PlainConv): Tensor;
  filter(x: Tensor, dy: Tensor, filterShape: number[], attributes: PlainConv): Tensor;
}

/**
 * A dilated convolution is a plain one on each of the interleaved images that the dilation takes apart: every d-th row
 * and column. tfjs's gradient kernels know no dilation, so that is how both engines compute the gradients.
 * Strides are 1: tfjs allows either them or dilations.
 */
export function dilatedGradients(
  given: readonly [dy: Tensor, x: Tensor, filter: Tensor],
  attributes: DilatedConv,
  depthwise: boolean,
  gradients: PlainGradients,
) {
  const first = attributes.dataFormat === 'NCHW';
  const toLast = (each: Tensor) => (first ? tf.transpose(each, [0, 2, 3, 1]) : each);
  const fromLast = (each: Tensor) => (first ? tf.transpose(each, [0, 3, 1, 2]) : each);
  const filter = given[2];
  const dy = toLast(given[0]) as tf.Tensor4D;
  const x = toLast(given[1]) as tf.Tensor4D;
  const { dilationHeight, dilationWidth, padInfo } = tf.backend_util.computeConv2DInfo(
    x.shape,
    filter.shape as [number, number, number, number],
    attributes.strides,
    attributes.dilations ?? 1,
    first ? explicitLast(attributes.pad) : attributes.pad,
    attributes.dimRoundingMode,
    depthwise,
  );
  const block: Pair = [dilationHeight, dilationWidth];
  const counts = block.map((step, axis) => Math.ceil(dy.shape[axis + 1] / step));
  const before: Pair = [padInfo.top, padInfo.left];
  const aroundX = block.map((step, axis) => {
    const total = (counts[axis] + filter.shape[axis] - 1) * step;
    return [before[axis], total - before[axis] - x.shape[axis + 1]];
  });
  const aroundDy = block.map((step, axis) => [0, counts[axis] * step - dy.shape[axis + 1]]);
  const apartX = () => tf.spaceToBatchND(x, block, aroundX);
  const apartDy = tf.spaceToBatchND(dy, block, aroundDy);
  return {
    x: () => {
      const [rows, columns] = counts.map((count, axis) => count + filter.shape[axis] - 1);
      const shape: number[] = [x.shape[0] * block[0] * block[1], rows, columns, x.shape[3]];
      return fromLast(tf.batchToSpaceND(gradients.x(apartDy, filter, shape, plain), block, aroundX));
    },
    filter: () => gradients.filter(apartX(), apartDy, filter.shape, plain),
  };
}

/** Explicit padding follows the order of the axes. */
function explicitLast(pad: DilatedConv['pad']): DilatedConv['pad'] {
  if (typeof pad !== 'object') return pad;
  const [batch, channels, height, width] = pad;
  return [batch, height, width, channels] as tf.backend_util.ExplicitPadding;
}
