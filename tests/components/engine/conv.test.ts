import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import fc from 'fast-check';
import { floats, seeds } from './support/arbitrary.ts';
import type { Case } from './support/compare.ts';
import { assertSame } from './support/compare.ts';
import { assertAgreement } from './support/property.ts';

type Explicit = [[number, number], [number, number], [number, number], [number, number]];

const small = fc.integer({ min: 1, max: 4 });
const explicit = fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)).map(
  ([a, b, c, d]): Explicit => [
    [0, 0],
    [a, b],
    [c, d],
    [0, 0],
  ],
);
const padding = fc.oneof(fc.constantFrom<'same' | 'valid'>('same', 'valid'), fc.nat(1), explicit);

/** With a number as padding tfjs takes the window's height and the vertical stride for both directions. */
const square = <T extends { pad: unknown; window: [number, number]; strides: [number, number] }>(
  drawn: T,
): T =>
  typeof drawn.pad !== 'number'
    ? drawn
    : { ...drawn, window: [drawn.window[0], drawn.window[0]], strides: [drawn.strides[0], drawn.strides[0]] };

const convolution = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 5, max: 9 }),
    width: fc.integer({ min: 5, max: 9 }),
    channels: small,
    filters: small,
    window: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    pad: padding,
    seed: seeds,
  })
  .map((drawn) => square(drawn));

const floor = 'floor' as const;
const rounding = (pad: unknown) => (typeof pad === 'string' ? undefined : floor);

test('convolutions with any stride and padding, and both gradients, agree with tfjs', async (t) => {
  await assertAgreement(t, convolution, {
    perProgram: 12,
    programs: 4,
    seed: 10,
    tolerance: { absolute: 2e-5, relative: 2e-5 },
    toCases: ({ batch, height, width, channels, filters, window, strides, pad, seed }) => [
      {
        name: `conv2d strides ${strides} pad ${JSON.stringify(pad)}`,
        inputs: [
          floats([batch, height, width, channels], seed),
          floats([...window, channels, filters], seed + 1),
        ],
        compute: (x, filter) =>
          tf.conv2d(x as Tensor4D, filter as Tensor4D, strides, pad, 'NHWC', 1, rounding(pad)),
        gradients: [0, 1],
      },
    ],
  });
});

test('dilated, NCHW, fused and transposed convolutions agree with tfjs', async (t) => {
  const x = floats([2, 8, 7, 3], 1);
  const filter = floats([3, 2, 3, 4], 2);
  const bias = floats([4], 3);
  const up = floats([2, 3, 4, 5], 4);
  const upFilter = floats([4, 4, 3, 5], 5);
  await assertSame(t, [
    {
      name: 'dilated',
      inputs: [x, filter],
      compute: (a, f) => tf.conv2d(a as Tensor4D, f as Tensor4D, 1, 'same', 'NHWC', [2, 3]),
    },
    {
      name: 'fused',
      inputs: [x, filter, bias],
      compute: (a, f, b) =>
        tf.fused.conv2d({
          x: a as Tensor4D,
          filter: f as Tensor4D,
          bias: b,
          strides: 2,
          pad: 'same',
          activation: 'relu',
        }),
    },
    {
      name: 'transposed',
      inputs: [up, upFilter],
      compute: (a, f) => tf.conv2dTranspose(a as Tensor4D, f as Tensor4D, [2, 6, 8, 3], 2, 'same'),
      gradients: [0, 1],
    },
  ]);
});

test('depthwise convolutions and both gradients agree with tfjs', async (t) => {
  const drawn = fc.sample(convolution, { numRuns: 10, seed: 11 });
  const cases = drawn.map(
    ({ batch, height, width, channels, filters, window, strides, pad, seed }): Case => ({
      name: `depthwiseConv2d strides ${strides} pad ${JSON.stringify(pad)}`,
      inputs: [
        floats([batch, height, width, channels], seed),
        floats([...window, channels, filters], seed + 1),
      ],
      compute: (x, filter) =>
        tf.depthwiseConv2d(
          x as Tensor4D,
          filter as Tensor4D,
          [strides[0], strides[0]],
          typeof pad === 'object' ? 'valid' : pad,
          'NHWC',
          1,
          typeof pad === 'number' ? floor : undefined,
        ),
      gradients: typeof pad === 'number' ? [] : [0, 1],
    }),
  );
  await assertSame(t, cases, { absolute: 2e-5, relative: 2e-5 });
});

test('pooling with any window and stride, and its gradient, agrees with tfjs', async (t) => {
  const drawn = fc.sample(convolution, { numRuns: 24, seed: 12 });
  const cases = drawn.map(({ batch, height, width, channels, window, strides, pad, seed }, index): Case => {
    const kind = index % 2 === 0 ? 'max' : 'avg';
    const pool = kind === 'max' ? tf.maxPool : tf.avgPool;
    // A window that lies in the padding alone has no maximum and no mean.
    const side = typeof pad === 'string' ? pad : 'valid';
    return {
      name: `${kind}Pool ${window} strides ${strides} ${side}`,
      inputs: [floats([batch, height, width, channels], seed)],
      compute: (x) => pool(x as Tensor4D, window, strides, side),
      gradients: [0],
    };
  });
  await assertSame(t, cases);
});

test('resizing up and down, by both methods and every rule of corners, agrees with tfjs', async (t) => {
  const sizes: readonly [number, number][] = [
    [8, 12],
    [7, 5],
    [3, 9],
    [1, 2],
    [4, 6],
  ];
  const rules = [
    [false, false],
    [true, false],
    [false, true],
  ] as const;
  const cases = sizes.flatMap((size) =>
    rules.flatMap(([corners, centers]): Case[] => {
      const inputs = [floats([2, 4, 6, 3], size[0])];
      const gradients = [0];
      return [
        {
          name: `bilinear ${size} ${corners} ${centers}`,
          inputs,
          compute: (x) => tf.image.resizeBilinear(x as Tensor4D, size, corners, centers),
          gradients,
        },
        {
          name: `nearest ${size} ${corners} ${centers}`,
          inputs,
          compute: (x) => tf.image.resizeNearestNeighbor(x as Tensor4D, size, corners, centers),
          gradients,
        },
      ];
    }),
  );
  await assertSame(t, cases);
});

test('a chain of convolutions, norms and residuals keeps its meaning when transposes are moved', async (t) => {
  const norm = (x: Tensor) => {
    const [batch, height, width, channels] = x.shape;
    const groups = tf.reshape(x, [batch, height, width, 2, channels / 2]);
    const { mean, variance } = tf.moments(groups, [1, 2, 4], true);
    return tf.reshape(tf.div(tf.sub(groups, mean), tf.sqrt(tf.add(variance, 1e-3))), x.shape);
  };
  const compute = (x: Tensor, f: Tensor, g: Tensor, bias: Tensor) => {
    const down = tf.add(tf.conv2d(x as Tensor4D, f as Tensor4D, 2, 'same'), bias);
    const y = tf.mul(norm(down), tf.sigmoid(norm(down)));
    const residual = tf.add(down, tf.conv2d(y as Tensor4D, g as Tensor4D, 1, 'same'));
    const up = tf.image.resizeNearestNeighbor(residual as Tensor4D, [8, 8]);
    return tf.conv2d(
      tf.relu(
        tf.concat(
          [
            up,
            tf.pad(up, [
              [0, 0],
              [0, 0],
              [0, 0],
              [0, 0],
            ]),
          ],
          3,
        ),
      ) as Tensor4D,
      tf.concat([g, g], 2) as Tensor4D,
      1,
      'same',
    );
  };
  const inputs = [floats([2, 8, 8, 3], 1), floats([4, 4, 3, 4], 2), floats([3, 3, 4, 4], 3), floats([4], 4)];
  await assertSame(t, [{ name: 'chain', inputs, compute, gradients: [0, 1, 2, 3] }], {
    absolute: 1e-4,
    relative: 1e-4,
  });
});
