import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import '../../../components/engine/gradients/register.ts';
import { inception } from '../../../components/perceptual/inception/config.ts';
import { load } from '../../../components/perceptual/inception/load.ts';
import { checkLayers, describeLayers, type Layers } from '../../../components/perceptual/layers.ts';
import { normaliseFeatures, perceptualLoss, targetFeatures } from '../../../components/perceptual/loss.ts';
import type { FeatureNetwork } from '../../../components/perceptual/types.ts';
import { vgg, vqvae } from '../../../index.ts';
import { leafInput } from '../../support/stage-input.ts';

/** A network whose two layers are the images themselves, and their doubles. */
const identity: FeatureNetwork = {
  name: 'identity',
  layers: ['same', 'twice'],
  weights: {},
  features: (_, images, layers) => layers.map((layer) => (layer === 'same' ? images : tf.mul(images, 2))),
};

const values = (x: tf.Tensor): number[] => [...x.dataSync()];

function distance(
  a: number[],
  b: number[],
  layers: Layers,
  normalisation: 'unit' | 'layer' | 'none',
): number {
  const options = { layers, normalisation };
  const shape: [number, number, number, number] = [1, 1, a.length / 2, 2];
  const targets = targetFeatures(identity, {}, tf.tensor4d(a, shape), options);
  return perceptualLoss(identity, {}, tf.tensor4d(b, shape), targets, options).dataSync()[0];
}

test('unit: squared differences of unit vectors, summed over channels and averaged over positions', (t) => {
  // (3, 4) / 5 = (.6, .8) against (1, 0): .16 + .64 = .8; (0, 2) against (0, 5): 0. Mean over 2 positions: .4
  t.true(Math.abs(distance([3, 4, 0, 2], [1, 0, 0, 5], ['same'], 'unit') - 0.4) < 1e-6);
  // Scale of a layer doesn't matter, so two layers give twice that.
  t.true(Math.abs(distance([3, 4, 0, 2], [1, 0, 0, 5], ['same', 'twice'], 'unit') - 0.8) < 1e-6);
});

test('none: mean squared difference, so that the scale of a layer matters', (t) => {
  // ((3-1)^2 + (4-0)^2) / 2 = 10, and four times that with everything doubled.
  t.is(distance([3, 4], [1, 0], ['same'], 'none'), 10);
  t.is(distance([3, 4], [1, 0], ['same', 'twice'], 'none'), 50);
});

test('each layer has its weight, in whichever order they are written', (t) => {
  // 10 and 40, as above.
  t.is(distance([3, 4], [1, 0], { same: 1, twice: 0.5 }, 'none'), 30);
  t.is(distance([3, 4], [1, 0], { twice: 0.5, same: 1 }, 'none'), 30);
  t.is(distance([3, 4], [1, 0], { twice: 0.25 }, 'none'), 10);
  t.is(describeLayers({ same: 1, twice: 0.5 }), 'same (1) and twice (0.5)');
  t.is(describeLayers(['same', 'twice']), 'same and twice');
});

test('layers that the network does not have: told by their place in the list, or by their name', (t) => {
  const network = vgg({ blocks: 2, convsPerBlock: 1, steps: 0 });
  const issues = (layers: Layers) => checkLayers({ loss: { perceptual: { layers } } }, { network });
  t.deepEqual(issues({ relu1_1: 1, relu2_1: 2 }), []);
  const path = ['loss', 'perceptual', 'layers'];
  t.like(issues(['relu1_1', 'relu3_1'])[0], { path: [...path, 1] });
  t.like(issues({ relu1_1: 1, relu3_1: 2 })[0], { path: [...path, 'relu3_1'] });
  t.deepEqual(issues(['relu1_1', 'relu1_1']), [{ path: [...path, 1], message: 'is listed twice' }]);
});

test('what is no layer and no weight is refused', (t) => {
  const network = vgg({ steps: 0 });
  const messages = (layers: unknown) =>
    vqvae({ steps: 1, loss: { perceptual: { network, layers } } } as never).issues.map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );
  for (const layers of ['relu1_1', [], {}, { relu1_1: 0 }, { relu1_1: 'much' }, { relu9_9: 1 }, 3])
    t.snapshot(messages(layers), JSON.stringify(layers));
});

test('layer: mean 0 and variance 1 over channels', (t) => {
  // (1, 5) -> (-1, 1) and (9, 2) -> (1, -1): mean of 4 and 4.
  t.true(Math.abs(distance([1, 5], [9, 2], ['same'], 'layer') - 4) < 1e-5);
});

test('the gradient is that of finite differences, and finite where all channels are zero', (t) => {
  const shape: [number, number, number, number] = [1, 1, 2, 2];
  const point = [0.5, 1.2, 0.9, 0.3];
  for (const normalisation of ['unit', 'layer', 'none'] as const) {
    const options = { layers: ['same'], normalisation };
    const targets = targetFeatures(identity, {}, tf.tensor4d([1, 0.3, 0.2, 0.7], shape), options);
    const loss = (x: tf.Tensor4D): tf.Scalar => perceptualLoss(identity, {}, x, targets, options);
    const gradient = values(tf.grad((x: tf.Tensor) => loss(x as tf.Tensor4D))(tf.tensor4d(point, shape)));
    for (const [i, value] of gradient.entries()) {
      const at = (step: number): number =>
        loss(
          tf.tensor4d(
            point.map((v, j) => (j === i ? v + step : v)),
            shape,
          ),
        ).dataSync()[0];
      const numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
      t.true(
        Math.abs(numeric - value) < 2e-3 + 2e-2 * Math.abs(numeric),
        `${normalisation}[${i}]: ${value}, ${numeric}`,
      );
    }
    const atZero = values(tf.grad((x: tf.Tensor) => loss(x as tf.Tensor4D))(tf.zeros(shape)));
    t.true(atZero.every(Number.isFinite), `${normalisation}: ${atZero}`);
  }
});

test('unit: near dead positions loss and slope are those of LPIPS, in float32', (t) => {
  // Of x / (|x| + 1e-10) at [r, 0, 0] against [1, 0, 0], by hand: the difference is -1e-10 / (r + 1e-10) along the first
  // axis, its square the loss, and 1e-10 / (r + 1e-10)^2 the slope of the first entry.
  const options = { layers: ['same'], normalisation: 'unit' } as const;
  const at = (r: number) => tf.tensor4d([r, 0, 0], [1, 1, 1, 3]);
  const targets = targetFeatures(identity, {}, at(1), options);
  const loss = (x: tf.Tensor) => perceptualLoss(identity, {}, x as tf.Tensor4D, targets, options);
  for (const r of [1e-2, 1e-4, 1e-5, 1e-6]) {
    const difference = -1e-10 / (r + 1e-10);
    const slope = (2 * difference * 1e-10) / (r + 1e-10) ** 2;
    const [along, ...across] = values(tf.grad(loss)(at(r)));
    // A number near 1 has steps of 6e-8 in float32, and so has the difference of two.
    const rounding = 1.2e-7;
    const slopeRounding = rounding * (2e-10 / r ** 2 + 1 / r) * 2;
    t.true(
      Math.abs(loss(at(r)).dataSync()[0] - difference ** 2) <
        rounding * (2 * Math.abs(difference) + rounding),
      `${r}`,
    );
    t.true(Math.abs(along - slope) < slopeRounding + 0.01 * Math.abs(slope), `${r}: ${along}, not ${slope}`);
    t.deepEqual(across.map(Math.abs), [0, 0]);
  }
});

test('unit: behind a ReLU a dead position has no gradient', (t) => {
  const options = { layers: ['same'], normalisation: 'unit' } as const;
  const targets = targetFeatures(identity, {}, tf.tensor4d([1, 2], [1, 1, 1, 2]), options);
  const loss = (x: tf.Tensor) => perceptualLoss(identity, {}, tf.relu(x) as tf.Tensor4D, targets, options);
  t.deepEqual(values(tf.grad(loss)(tf.tensor4d([0, -1], [1, 1, 1, 2]))).map(Math.abs), [0, 0]);
});

test('normalisation keeps positions without activation at zero', (t) => {
  t.deepEqual(values(normaliseFeatures(tf.zeros([1, 1, 1, 3]), 'unit')), [0, 0, 0]);
});

test('blur looks worse than brightness at the same mean squared error (InceptionV3)', async (t) => {
  const network = await load(leafInput(inception({})));
  const weights = Object.fromEntries(
    Object.entries(network.weights).map(([name, w]) => [name, tf.tensor(w.data, [...w.shape])]),
  );
  const size = 32;
  const pattern = Float32Array.from({ length: size * size * 3 }, (_, i) => {
    const [y, x] = [Math.floor(i / (3 * size)), Math.floor(i / 3) % size];
    return 0.25 + 0.5 * ((Math.floor(x / 3) + Math.floor(y / 5)) % 2);
  });
  const sharp = tf.tensor4d(pattern, [1, size, size, 3]);
  const blurred = tf.avgPool(sharp, 3, 1, 'same');
  const brighter = tf.add(sharp, tf.sqrt(tf.mean(tf.squaredDifference(sharp, blurred)))) as tf.Tensor4D;
  const options = { layers: ['activation_3', 'activation_5'], normalisation: 'unit' } as const;
  const targets = targetFeatures(network, weights, sharp, options);
  const [blur, light] = [blurred, brighter].map(
    (x) => perceptualLoss(network, weights, x, targets, options).dataSync()[0],
  );
  t.true(blur > 2 * light, `${blur} against ${light}`);
});

test('a network that gives other activations than it was asked for is refused, by name', (t) => {
  const options = { layers: ['same', 'twice'], normalisation: 'unit' } as const;
  const images = tf.zeros<tf.Rank.R4>([2, 4, 4, 3]);
  const cases: { readonly [given: string]: FeatureNetwork['features'] } = {
    '[2, 4, 4, 3]': () => [images],
    '[2, 4, 4, 3], [2, 3]': () => [images, tf.zeros([2, 3]) as never],
    '[1, 4, 4, 3], [2, 4, 4, 3]': () => [tf.zeros([1, 4, 4, 3]), images],
  };
  for (const [given, features] of Object.entries(cases))
    t.throws(() => targetFeatures({ ...identity, features }, {}, images, options), {
      message: `the network identity: features of same, twice are ${given}`,
    });
});
