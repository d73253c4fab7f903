import type { Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { run } from '../../../../components/engine/gradients/gradient.ts';
import { floats, seeds } from '../support/arbitrary.ts';
import type { Case } from '../support/compare.ts';
import type { KernelTest } from './kernel-test.ts';
import { fixed, kernelTest } from './kernel-test.ts';

type Explicit = [[number, number], [number, number], [number, number], [number, number]];
type Pad = 'same' | 'valid' | number | Explicit;

const tolerance = { absolute: 2e-5, relative: 2e-5 };
const small = fc.integer({ min: 1, max: 4 });
const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
const explicit = fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)).map(
  ([a, b, c, d]): Explicit => [
    [0, 0],
    [a, b],
    [c, d],
    [0, 0],
  ],
);
const padding: fc.Arbitrary<Pad> = fc.oneof(
  fc.constantFrom('same' as const, 'valid' as const),
  fc.nat(1),
  explicit,
);

export interface Drawn {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filters: number;
  readonly window: [number, number];
  readonly strides: [number, number];
  readonly dilations: [number, number];
  readonly pad: Pad;
  readonly seed: number;
}

/** With a number as padding tfjs takes the window's height and the vertical stride for both directions. */
function square(drawn: Drawn): Drawn {
  if (typeof drawn.pad !== 'number') return drawn;
  const both = ([first]: [number, number]): [number, number] => [first, first];
  return {
    ...drawn,
    window: both(drawn.window),
    strides: both(drawn.strides),
    dilations: both(drawn.dilations),
  };
}

/** A small convolution of any kind. */
export const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 5, max: 9 }),
    width: fc.integer({ min: 5, max: 9 }),
    channels: small,
    filters: small,
    window: pair(1, 4),
    strides: pair(1, 3),
    dilations: pair(1, 3),
    pad: padding,
    seed: seeds,
  })
  .map(square);

const rounding = (pad: Pad) => (typeof pad === 'string' ? undefined : ('floor' as const));
const imageOf = ({ batch, height, width, channels, seed }: Drawn) =>
  floats([batch, height, width, channels], seed);
const filterOf = ({ window, channels, filters, seed }: Drawn) =>
  floats([...window, channels, filters], seed + 1);
const text = (each: Drawn) =>
  `strides ${each.strides} dilations ${each.dilations} pad ${JSON.stringify(each.pad)} window ${each.window}`;

const conv2d = drawn.map((each): Case => {
  const { strides, pad } = each;
  return {
    name: `conv2d ${text({ ...each, dilations: [1, 1] })}`,
    inputs: [imageOf(each), filterOf(each)],
    compute: (x, filter) =>
      tf.conv2d(x as Tensor4D, filter as Tensor4D, strides, pad, 'NHWC', 1, rounding(pad)),
    gradients: [0, 1],
  };
});

/** Windows that are larger than the image when dilated have no place in it unless padded. */
const dilated = drawn
  .map((each): Drawn => ({ ...each, window: [Math.min(each.window[0], 2), Math.min(each.window[1], 2)] }))
  .map((each): Case => {
    const { dilations, pad } = each;
    return {
      name: `dilated conv2d ${text({ ...each, strides: [1, 1] })}`,
      inputs: [imageOf(each), filterOf(each)],
      compute: (x, filter) =>
        tf.conv2d(x as Tensor4D, filter as Tensor4D, 1, pad, 'NHWC', dilations, rounding(pad)),
      gradients: [0, 1],
    };
  });

const channelsFirst = drawn.map((each): Case => {
  const { batch, height, width, channels, seed, strides, dilations } = each;
  const isDilated = seed % 2 === 0;
  const pad = seed % 3 === 0 ? 'valid' : 'same';
  const window: [number, number] = [1 + (seed % 2), 2];
  return {
    name: `conv2d NCHW ${text({ ...each, window, pad })} ${isDilated}`,
    inputs: [floats([batch, channels, height, width], seed), filterOf({ ...each, window })],
    compute: (x, filter) =>
      tf.conv2d(
        x as Tensor4D,
        filter as Tensor4D,
        isDilated ? 1 : strides,
        pad,
        'NCHW',
        isDilated ? dilations : 1,
      ),
    gradients: [0, 1],
  };
});

/** So large that ONNX's own convolution is used, not the matrix of windows. */
const large = fixed({
  name: 'conv2d of a large image',
  inputs: [floats([1, 192, 192, 13], 1), floats([3, 3, 13, 1], 2)],
  compute: (x, filter) => tf.conv2d(x as Tensor4D, filter as Tensor4D, 1, 'same'),
  gradients: [0],
});

const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;

const fused = (['conv2d', 'depthwiseConv2d'] as const).map((op) =>
  drawn.map((each): Case => {
    const { channels, filters, seed, strides, pad } = each;
    const activation = activations[seed % activations.length];
    const outputs = op === 'conv2d' ? filters : filters * channels;
    const side: [number, number] = op === 'conv2d' ? strides : [strides[0], strides[0]];
    return {
      name: `fused ${op} ${activation}`,
      inputs: [imageOf(each), filterOf(each), floats([outputs], seed + 2), floats([outputs], seed + 3)],
      compute: (x, filter, bias, slopes) =>
        tf.fused[op]({
          x: x as Tensor4D,
          filter: filter as Tensor4D,
          bias,
          strides: side,
          pad: typeof pad === 'string' ? pad : 'same',
          activation,
          ...(activation === 'prelu' ? { preluActivationWeights: slopes } : {}),
          ...(activation === 'leakyrelu' ? { leakyreluAlpha: 0.3 } : {}),
        }),
      gradients: activation === 'linear' ? [0, 1, 2] : [],
    };
  }),
);

/** dy and the filter of a convolution that is then turned round: `conv2dTranspose` is the gradient to the input. */
const transposed = drawn.map((each): Case => {
  const { batch, height, width, channels, filters, window, strides, seed } = each;
  const pad = seed % 2 === 0 ? 'same' : 'valid';
  const size = (length: number, axis: number) =>
    pad === 'same' ? length * strides[axis] : (length - 1) * strides[axis] + window[axis];
  const shape: [number, number, number, number] = [batch, size(height - 3, 0), size(width - 3, 1), channels];
  return {
    name: `conv2dTranspose to ${shape} ${text({ ...each, pad })}`,
    inputs: [floats([batch, height - 3, width - 3, filters], seed), filterOf(each)],
    compute: (dy, filter) => tf.conv2dTranspose(dy as Tensor4D, filter as Tensor4D, shape, strides, pad),
    gradients: [0, 1],
  };
});

const ofFilter = drawn.map((each): Case => {
  const { window, channels, filters, strides, pad, seed } = each;
  const filterShape: [number, number, number, number] = [...window, channels, filters];
  const side = typeof pad === 'string' ? pad : 'valid';
  const { outShape } = tf.backend_util.computeConv2DInfo(
    imageOf(each).shape as [number, number, number, number],
    filterShape,
    strides,
    1,
    side,
  );
  return {
    name: `gradient to the filter ${text({ ...each, pad: side })}`,
    inputs: [imageOf(each), floats(outShape, seed + 2)],
    compute: (x, dy) =>
      run('Conv2DBackpropFilter', { x, dy }, { strides, pad: side, dataFormat: 'NHWC', filterShape }),
  };
});

/** tfjs's depthwise gradients assume equal strides, and its kernel knows no explicit padding. */
function depthwise(
  make: (each: Drawn, pad: 'same' | 'valid', strides: [number, number]) => Case,
): fc.Arbitrary<Case> {
  return drawn.map((each) => {
    const { pad, strides } = each;
    return make(each, typeof pad === 'string' ? pad : 'valid', [strides[0], strides[0]]);
  });
}

const depthwiseConv2d = depthwise((each, pad, strides) => ({
  name: `depthwiseConv2d ${text({ ...each, pad, strides })}`,
  inputs: [imageOf(each), filterOf(each)],
  compute: (x, filter) => tf.depthwiseConv2d(x as Tensor4D, filter as Tensor4D, strides, pad),
  gradients: [0, 1],
}));

const depthwiseDilated = depthwise((each, pad) => {
  const window: [number, number] = [2, 1 + (each.seed % 2)];
  const dilations: [number, number] = [each.dilations[0], each.dilations[0]];
  return {
    name: `dilated depthwiseConv2d ${text({ ...each, pad, window, dilations })}`,
    inputs: [imageOf(each), filterOf({ ...each, window })],
    compute: (x, filter) => tf.depthwiseConv2d(x as Tensor4D, filter as Tensor4D, 1, pad, 'NHWC', dilations),
    gradients: [0, 1],
  };
});

const depthwiseGradient = (kernel: 'Input' | 'Filter') =>
  depthwise((each, pad, strides) => {
    const filterShape: [number, number, number, number] = [...each.window, each.channels, each.filters];
    const inputShape = imageOf(each).shape as [number, number, number, number];
    const { outShape } = tf.backend_util.computeConv2DInfo(
      inputShape,
      filterShape,
      strides,
      1,
      pad,
      undefined,
      true,
    );
    const dy = floats(outShape, each.seed + 2);
    const attributes = { strides, pad, dilations: 1, inputShape, filterShape };
    return {
      name: `depthwise gradient to the ${kernel} ${text({ ...each, pad, strides })}`,
      inputs: [dy, kernel === 'Input' ? filterOf(each) : imageOf(each)],
      compute: (d, other) =>
        run(
          `DepthwiseConv2dNativeBackprop${kernel}`,
          kernel === 'Input' ? { dy: d, filter: other } : { x: other, dy: d },
          attributes,
        ),
    };
  });

const special = { inputs: [0], why: 'padding is multiplied too, and 0 times infinity is NaN' };

export const convTests: readonly KernelTest[] = [
  kernelTest('Conv2D', [conv2d, dilated, channelsFirst], { runs: 20, tolerance, special }),
  kernelTest('Conv2D', [large], { runs: 1, tolerance, special }),
  kernelTest('FusedConv2D', [fused[0]], { runs: 20, tolerance, special }),
  kernelTest('Conv2DBackpropInput', [transposed], { runs: 16, tolerance, special }),
  kernelTest('Conv2DBackpropFilter', [ofFilter], { runs: 16, tolerance }),
  kernelTest('DepthwiseConv2dNative', [depthwiseConv2d, depthwiseDilated], { runs: 16, tolerance, special }),
  kernelTest('FusedDepthwiseConv2D', [fused[1]], { runs: 20, tolerance, special }),
  kernelTest('DepthwiseConv2dNativeBackpropInput', [depthwiseGradient('Input')], {
    runs: 12,
    tolerance,
    special,
  }),
  kernelTest('DepthwiseConv2dNativeBackpropFilter', [depthwiseGradient('Filter')], { runs: 12, tolerance }),
];
