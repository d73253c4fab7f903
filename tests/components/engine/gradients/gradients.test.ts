import '../support/float64.ts';

import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { register } from 'tsx/cjs/api';
import { gradients } from '../../../../components/engine/gradients/register.ts';
import type { GradientCase } from '../support/differences.ts';
import { differencesOf, furthest, gradientsOf, useFloat64 } from '../support/differences.ts';
import { gradientCases } from './all.ts';
import { composedCases } from './composed.ts';

/** Where tfjs-core's own gradients are wrong or fail, and how: the finite differences are on our side. */
const wrongInTfjs: { readonly [kernel: string]: string } = {
  AvgPool: 'divides by the whole window at the border, where the average is of less',
  BatchMatMul: 'a factor that serves the whole batch gets a gradient for each item',
  Conv2D: 'none with dilations',
  Cumsum: 'along an axis that is not the last',
  DepthwiseConv2dNative: 'none with dilations',
  FloorDiv: 'that of division, though it is a step function',
  GatherV2: 'fails with batch axes',
  Maximum: 'fails for operands that are repeated',
  Minimum: 'fails for operands that are repeated',
  MirrorPad: 'cuts the border off instead of adding it to what it mirrors',
  Prod: 'needs methods of tensors that only all of tfjs has',
  ResizeBilinear: 'confuses height and width, and ignores half-pixel centres',
  ResizeNearestNeighbor: 'reads the wrong images of a batch',
  SquaredDifference: 'fails for operands that are repeated',
};

const called = new Set<string>();

test.before(async () => {
  await useFloat64();
  for (const config of gradients) {
    const { gradFunc } = config;
    config.gradFunc = (...given) => {
      called.add(config.kernelName);
      return gradFunc(...given);
    };
  }
});

for (const [kernel, cases] of Object.entries(gradientCases)) {
  test.serial(`the gradient of ${kernel} is the limit of difference quotients`, (t) => {
    called.clear();
    cases.forEach((each, index) => {
      const distance = furthest(gradientsOf(each), differencesOf(each));
      t.true(distance < (each.tolerance ?? 1e-7), `case ${index}: ${distance}`);
    });
    t.true(called.has(kernel));
  });
}

for (const [op, cases] of Object.entries(composedCases)) {
  test.serial(`the gradient of ${op}, which is made of others, too`, (t) => {
    cases.forEach((each, index) => {
      const distance = furthest(gradientsOf(each), differencesOf(each));
      t.true(distance < 1e-7, `case ${index}: ${distance}`);
    });
  });
}

test.serial('every gradient is checked', (t) => {
  t.deepEqual(Object.keys(gradientCases).sort(), gradients.map(({ kernelName }) => kernelName).sort());
});

test.serial('a cast to integers hands its gradient on, as in tfjs', (t) => {
  const grad = tf.grad((x) => tf.mul(tf.cast(tf.cast(x, 'int32'), 'float32'), 3))(tf.tensor1d([0.5, 2.5]));
  t.deepEqual([...grad.dataSync()], [3, 3]);
});

test.serial('gradients are those of tfjs-core, where it has right ones', (t) => {
  const ours = Object.entries(gradientCases).map(([kernel, cases]) => ({
    kernel,
    cases,
    grads: cases.map(gradientsOf),
  }));
  const { warn } = console;
  console.warn = () => {};
  // tfjs-core's own definitions replace the engine's from here on; only a loader such as tsx can import them.
  const unregister = register();
  createRequire(import.meta.url)('@tensorflow/tfjs-core/dist/register_all_gradients.js');
  unregister();
  console.warn = warn;
  const known = new Set(gradients);
  const theirs = ours.filter(({ kernel }) => !known.has(tf.getGradient(kernel)));
  const different = theirs.filter(
    ({ cases, grads }) => !cases.every((each, index) => agree(grads[index], each)),
  );
  t.true(theirs.length > 90, `compared: ${theirs.length}`);
  t.deepEqual(different.map(({ kernel }) => kernel).sort(), Object.keys(wrongInTfjs));
});

function agree(ours: readonly Float32Array[], each: GradientCase): boolean {
  try {
    return furthest(ours, gradientsOf(each)) < 1e-9;
  } catch {
    return false;
  }
}
