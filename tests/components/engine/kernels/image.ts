import type { Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { run } from '../../../../components/engine/gradients/gradient.ts';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { floats, ints, seeds } from '../support/arbitrary.ts';
import type { Case } from '../support/compare.ts';
import type { Drawn } from './conv.ts';
import { drawn } from './conv.ts';
import type { KernelTest } from './kernel-test.ts';
import { kernelTest } from './kernel-test.ts';

const imageOf = ({ batch, height, width, channels, seed }: Drawn) =>
  floats([batch, height, width, channels], seed);
/** A window that lies in the padding alone has no maximum and no mean. */
const sideOf = ({ pad }: Drawn) => (typeof pad === 'string' ? pad : 'valid');
const text = (each: Drawn) => `${each.window} strides ${each.strides} ${sideOf(each)}`;

const pool = (kind: 'max' | 'avg') =>
  drawn.map((each): Case => {
    const op = kind === 'max' ? tf.maxPool : tf.avgPool;
    return {
      name: `${kind}Pool ${text(each)}`,
      inputs: [imageOf(each)],
      compute: (x) => op(x as Tensor4D, each.window, each.strides, sideOf(each)),
      gradients: [0],
    };
  });

/** Windows that the padding does not divide: counted by rounding up. */
const roundedUp = (kind: 'max' | 'avg') =>
  drawn.map(
    ({ batch, height, channels, seed }): Case => ({
      name: `${kind}Pool rounded up`,
      inputs: [floats([batch, height + 1, 5, channels], seed)],
      compute: (x) => (kind === 'max' ? tf.maxPool : tf.avgPool)(x as Tensor4D, 2, 2, 0, 'ceil'),
      // tfjs's kernel of average pooling's gradient ignores the rounding.
      gradients: kind === 'max' ? [0] : [],
    }),
  );

const integerMaxPool = seeds.map(
  (seed): Case => ({
    name: 'maxPool int32',
    inputs: [ints([1, 4, 4, 2], seed)],
    compute: (x) => tf.maxPool(x as Tensor4D, 2, 2, 'valid'),
  }),
);

const maxPoolWithArgmax = drawn.map(
  (each): Case => ({
    name: `maxPoolWithArgmax ${text(each)}`,
    inputs: [imageOf(each)],
    compute: (x) =>
      Object.values(
        tf.maxPoolWithArgmax(x as Tensor4D, each.window, each.strides, sideOf(each), each.seed % 2 === 0),
      ),
    gradients: [0],
  }),
);

const poolGradient = (kind: 'Max' | 'Avg') =>
  drawn.map((each): Case => {
    const { window, strides, seed } = each;
    const pad = sideOf(each);
    const shape = imageOf(each).shape as [number, number, number, number];
    const { outShape } = tf.backend_util.computePool2DInfo(shape, window, strides, 1, pad);
    const attributes = { filterSize: window, strides, pad };
    return {
      name: `gradient of ${kind} pooling ${text(each)}`,
      inputs: [imageOf(each), floats(outShape, seed + 1)],
      compute: (x, dy) => {
        const output = kind === 'Max' ? tf.maxPool(x as Tensor4D, window, strides, pad) : dy;
        return run(
          `${kind}PoolGrad`,
          kind === 'Max' ? { dy, input: x, output } : { dy, input: x },
          attributes,
        );
      },
    };
  });

const response = fc.record({
  radius: fc.integer({ min: 1, max: 4 }),
  bias: fc.constantFrom(1, 0.5),
  alpha: fc.constantFrom(0.3, 1),
  beta: fc.constantFrom(0.5, 0.75),
  seed: seeds,
});

const lrn = response.map(
  ({ radius, bias, alpha, beta, seed }): Case => ({
    name: `localResponseNormalization ${radius} ${bias} ${alpha} ${beta}`,
    inputs: [floats([2, 2, 3, 1 + (seed % 7)], seed)],
    compute: (x) => tf.localResponseNormalization(x as Tensor4D, radius, bias, alpha, beta),
    gradients: [0],
  }),
);

const lrnGrad = response.map(({ radius, bias, alpha, beta, seed }): Case => {
  const shape = [2, 2, 3, 1 + (seed % 7)];
  return {
    name: `LRNGrad ${radius} ${bias} ${alpha} ${beta}`,
    inputs: [floats(shape, seed), floats(shape, seed + 1), floats(shape, seed + 2)],
    compute: (x, y, dy) => run('LRNGrad', { x, y, dy }, { depthRadius: radius, bias, alpha, beta }),
  };
});

const dilation2d = (what: 'forward' | 'Input' | 'Filter') =>
  drawn.map((each): Case => {
    const { seed, channels, batch, height, width } = each;
    const pad = sideOf(each);
    const window: [number, number] = [1 + (seed % 3), 2];
    const dilations: [number, number] = seed % 2 === 0 ? each.dilations : [1, 1];
    const strides: [number, number] = seed % 2 === 0 ? [1, 1] : each.strides;
    const { outShape } = tf.backend_util.computeDilation2DInfo(
      [batch, height, width, channels],
      [...window, channels],
      strides,
      pad,
      'NHWC',
      dilations,
    );
    const attributes = { strides, pad, dilations };
    const inputs = [imageOf(each), floats([...window, channels], seed + 1)];
    const name = `dilation2d ${what} ${text({ ...each, window, strides })} dilations ${dilations}`;
    if (what === 'forward') {
      const compute: Case['compute'] = (x, filter) =>
        tf.dilation2d(x as Tensor4D, filter as Tensor3D, strides, pad, dilations);
      return { name, inputs, compute, gradients: [0, 1] };
    }
    return {
      name,
      inputs: [...inputs, floats(outShape, seed + 2)],
      compute: (x, filter, dy) => run(`Dilation2DBackprop${what}`, { x, filter, dy }, attributes),
    };
  });

const rules = fc.constantFrom<[boolean, boolean]>([false, false], [true, false], [false, true]);
const size = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }));

const resize = (method: 'resizeBilinear' | 'resizeNearestNeighbor') =>
  fc
    .record({ to: size, rule: rules, seed: seeds, double: fc.boolean() })
    .map(({ to, rule, seed, double }): Case => {
      const target: [number, number] = double ? [8, 12] : to;
      return {
        name: `${method} ${target} ${rule}`,
        inputs: [floats([2, 4, 6, 3], seed)],
        compute: (x) => tf.image[method](x as Tensor4D, target, ...rule),
        gradients: [0],
      };
    });

/** Boxes inside the image, across its border, turned over, and the whole image. */
function boxes(count: number, seed: number): HostTensor {
  const { data, shape } = floats([count, 4], seed, { min: -0.2, max: 1.2 });
  const values = Float32Array.from(data, (value, index) => (index < 4 ? [0, 0, 1, 1][index] : value));
  return { dtype: 'float32', shape, data: values };
}

const crop = (method: 'bilinear' | 'nearest') =>
  fc
    .record({
      count: fc.integer({ min: 1, max: 4 }),
      to: size,
      channels: fc.integer({ min: 1, max: 3 }),
      seed: seeds,
    })
    .map(
      ({ count, to, channels, seed }): Case => ({
        name: `cropAndResize ${method} ${to}`,
        // One image number more than there are: such a crop is empty.
        inputs: [
          floats([2, 5, 7, channels], seed),
          boxes(count, seed),
          ints([count], seed, { min: 0, max: count > 2 ? 2 : 1 }),
        ],
        compute: (image, box, item) =>
          tf.image.cropAndResize(image as Tensor4D, box as Tensor2D, item as Tensor1D, to, method, 0.5),
        gradients: method === 'bilinear' ? [0] : [],
      }),
    );

const rotate = fc
  .record({ angle: fc.constantFrom(0.3, -1.2, 2.5), channels: fc.constantFrom(1, 3, 4), seed: seeds })
  .map(({ angle, channels, seed }): Case => {
    const fill: number | [number, number, number] = channels === 1 ? 0.25 : [0.1, 0.2, 0.3];
    const center: number | [number, number] = seed % 2 === 0 ? 0.5 : [0.25, 0.6];
    return {
      name: `rotateWithOffset ${angle} about ${center}`,
      inputs: [floats([2, 5, 4, channels], seed)],
      compute: (x) => tf.image.rotateWithOffset(x as Tensor4D, angle, fill, center),
      gradients: [0],
    };
  });

const flip = drawn.map(
  (each): Case => ({
    name: 'flipLeftRight',
    inputs: [imageOf(each)],
    compute: (x) => tf.image.flipLeftRight(x as Tensor4D),
    gradients: [0],
  }),
);

const tolerance = { absolute: 2e-5, relative: 2e-5 };

const leftOut = {
  withoutNaN: 'NaN is passed over in tfjs',
  withoutLeast: 'a window of nothing but -Infinity gives -3.4e38',
};
const noMaximum = { none: 'a window of nothing but -Infinity has no maximum in tfjs' };
const leastNumber = { none: 'tfjs starts from -2^53 and passes over NaN' };
const reordered = { none: 'sums of infinities of both signs are made in another order' };
const spreads = { none: 'NaN gets into whole rows and columns: resizing is a product of matrices' };

export const imageTests: readonly KernelTest[] = [
  kernelTest('MaxPool', [pool('max'), roundedUp('max'), integerMaxPool], { runs: 14, special: leftOut }),
  kernelTest('MaxPoolGrad', [poolGradient('Max')], { runs: 12, special: noMaximum }),
  kernelTest('MaxPoolWithArgmax', [maxPoolWithArgmax], { runs: 12, special: noMaximum }),
  kernelTest('AvgPool', [pool('avg'), roundedUp('avg')], { runs: 14 }),
  kernelTest('AvgPoolGrad', [poolGradient('Avg')], { runs: 12 }),
  kernelTest('LRN', [lrn], { runs: 10, tolerance }),
  kernelTest('LRNGrad', [lrnGrad], { runs: 10, tolerance, special: reordered }),
  kernelTest('Dilation2D', [dilation2d('forward')], { runs: 10, special: leastNumber }),
  kernelTest('Dilation2DBackpropInput', [dilation2d('Input')], { runs: 8, special: leastNumber }),
  kernelTest('Dilation2DBackpropFilter', [dilation2d('Filter')], { runs: 8, special: leastNumber }),
  kernelTest('ResizeBilinear', [resize('resizeBilinear')], { runs: 20, tolerance, special: spreads }),
  kernelTest('ResizeNearestNeighbor', [resize('resizeNearestNeighbor')], { runs: 20 }),
  kernelTest('CropAndResize', [crop('bilinear'), crop('nearest')], {
    runs: 14,
    tolerance,
    special: { inputs: [0], why: 'boxes are places' },
  }),
  kernelTest('RotateWithOffset', [rotate], { runs: 8 }),
  kernelTest('FlipLeftRight', [flip]),
];
