import '../engine/support/float64.ts';

import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { gelu, groupNorm, layerNorm, silu, standardise } from '../../../components/nn/layers.ts';
import { crossEntropy } from '../../../components/nn/losses.ts';
import { stopGradient } from '../../../components/training/gradients.ts';
import { floats, ints } from '../engine/support/arbitrary.ts';
import type { GradientCase } from '../engine/support/differences.ts';
import { differencesOf, furthest, gradientsOf, useFloat64 } from '../engine/support/differences.ts';

const x = floats([2, 3, 4], 1);
const equal = { ...x, data: x.data.map(() => 0.7) };
const images = floats([2, 2, 3, 4], 2);
const logits = floats([5, 4], 3);
const labels = ints([5], 4, { min: 0, max: 3 });
const weights = floats([5], 5, { min: 0.2, max: 1.5 });

/** Gradients that are written by hand in `components/nn`. */
const cases: { readonly [name: string]: GradientCase } = {
  standardise: { inputs: [x], op: (a) => standardise(a, 1e-3) },
  'standardise, of equal numbers': { inputs: [equal], op: (a) => standardise(a, 1) },
  layerNorm: {
    inputs: [x, floats([4], 6), floats([4], 7)],
    op: (a, gain, bias) => layerNorm(a, { gain, bias }),
  },
  groupNorm: {
    inputs: [images, floats([4], 8), floats([4], 9)],
    op: (a, gain, bias) => groupNorm(a, { gain, bias }, 2),
  },
  silu: { inputs: [x], op: (a) => silu(a) },
  // tfjs's erf is a polynomial that is right to seven digits; its slope is not the gaussian's to more.
  gelu: { inputs: [x], op: (a) => gelu(a), tolerance: 5e-6 },
  crossEntropy: { inputs: [logits, labels], op: (a, i) => crossEntropy(a, i), variables: 1 },
  'weighted, smoothed crossEntropy': {
    inputs: [logits, labels, weights],
    op: (a, i, w) => crossEntropy(a, i as Tensor1D, { weights: w, smoothing: 0.1 }),
    variables: 1,
  },
};

test.before(useFloat64);

for (const [name, given] of Object.entries(cases)) {
  test.serial(`the gradient of ${name} is the limit of difference quotients`, (t) => {
    const distance = furthest(gradientsOf(given), differencesOf(given));
    t.true(distance < (given.tolerance ?? 1e-7), String(distance));
  });
}

test.serial('behind stopGradient a value is a constant', (t) => {
  const product = (a: Tensor) => tf.mul(a, stopGradient(a));
  const [grad] = gradientsOf({ inputs: [x], op: product });
  // d(a * constant)/da is the constant, not 2 a; the weights are those of the sum.
  const expected = Float32Array.from(x.data, (value, index) => value * Math.cos(index * 1.7 + 0.3));
  t.true(furthest([grad], [expected]) < 1e-12);
});
