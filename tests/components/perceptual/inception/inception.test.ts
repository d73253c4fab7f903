import { readFileSync } from 'node:fs';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { openEngine } from '../../../../components/engine/open.ts';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { hostTensor } from '../../../../components/nn/tree.ts';
import { inception } from '../../../../components/perceptual/inception/config.ts';
import { load } from '../../../../components/perceptual/inception/load.ts';
import type { FeatureNetwork } from '../../../../components/perceptual/types.ts';
import { leafInput } from '../../../support/stage-input.ts';
import { convFlops } from '../../support/flops.ts';

interface Expected {
  readonly height: number;
  readonly width: number;
  readonly layers: {
    readonly [name: string]: {
      readonly shape: readonly number[];
      readonly mean: number;
      readonly std: number;
      readonly places: readonly number[];
      readonly values: readonly number[];
    };
  };
}

/** Evaluated by numpy from the npm package itself: see make.py beside it. */
const expected = JSON.parse(
  readFileSync(new URL('../../../fixtures/inception/features.json', import.meta.url), 'utf8'),
) as Expected;

function patternImage({ height, width }: Expected): HostTensor {
  const data = Float32Array.from({ length: height * width * 3 }, (_, i) => {
    const y = Math.floor(i / (width * 3));
    const x = Math.floor(i / 3) % width;
    return 0.5 + 0.5 * Math.sin(0.3 * y + 0.2 * x * ((i % 3) + 1));
  });
  return hostTensor([1, height, width, 3], data);
}

async function run(
  network: FeatureNetwork,
  engineName: string,
  images: HostTensor,
  layers: readonly string[],
) {
  const engine = await openEngine({ name: engineName });
  try {
    const program = await engine.compile<
      Record<string, never>,
      { images: tf.Tensor },
      { [layer: string]: tf.Tensor },
      { [name: string]: tf.Tensor }
    >({
      name: 'inception',
      state: engine.state<Record<string, never>>({}),
      batch: { images: { shape: images.shape } },
      constants: network.weights,
      step: (state, batch, weights) => {
        const features = network.features(weights, batch.images as tf.Tensor4D, layers);
        return { state, out: Object.fromEntries(layers.map((layer, i) => [layer, features[i]])) };
      },
    });
    return await program.run({ images });
  } finally {
    engine.dispose();
  }
}

for (const engine of ['reference', 'onnx']) {
  test(`all layers agree with an evaluation by numpy (${engine})`, async (t) => {
    const network = await load(leafInput(inception({ upsample: 1 })));
    const features = await run(network, engine, patternImage(expected), network.layers);
    t.deepEqual(Object.keys(expected.layers), [...network.layers]);
    for (const [layer, { shape, mean, std, places, values }] of Object.entries(expected.layers)) {
      const { shape: actual, data } = features[layer] as HostTensor;
      t.deepEqual(actual.slice(1), [...shape], layer);
      const average = Array.from(data).reduce((sum, value) => sum + value, 0) / data.length;
      t.true(Math.abs(average - mean) < 1e-4 * std, `${layer}: mean ${average}, not ${mean}`);
      for (const [i, place] of places.entries()) {
        const difference = Math.abs(data[place] - values[i]);
        t.true(difference < 1e-4 * std, `${layer}[${place}]: ${data[place]}, not ${values[i]}`);
      }
    }
  });
}

test('small images are enlarged first', async (t) => {
  const network = await load(leafInput(inception({})));
  const shapes = tf.tidy(() => {
    const weights = Object.fromEntries(
      Object.entries(network.weights).map(([name, w]) => [name, tf.tensor(w.data, [...w.shape])]),
    );
    const images = tf.zeros<tf.Rank.R4>([2, 32, 32, 3]);
    return network.features(weights, images, ['activation_1', 'activation_3']).map((x) => x.shape);
  });
  // 64 -> (64 - 3) / 2 + 1 = 31 -> 29 -> 29
  t.deepEqual(shapes, [
    [2, 31, 31, 32],
    [2, 29, 29, 64],
  ]);
});

test('only the layers down to the deepest one asked for are computed', async (t) => {
  const network = await load(leafInput(inception({ upsample: 1 })));
  // Weights of deeper layers aren't even there.
  const weights = Object.fromEntries(
    ['conv2d_1/kernel', 'conv2d_1/bias'].map((name) => {
      const { data, shape } = network.weights[name];
      return [name, tf.tensor(data, [...shape])];
    }),
  );
  const [features] = network.features(weights, tf.zeros([1, 9, 9, 3]), ['activation_1']);
  t.deepEqual(features.shape, [1, 4, 4, 32]);
});

test('a layer that the network lacks is refused by name', async (t) => {
  const network = await load(leafInput(inception({})));
  const error = t.throws(() => network.features({}, tf.zeros([1, 32, 32, 3]), ['relu1_2']), {
    instanceOf: RangeError,
  });
  t.snapshot(error?.message);
});

test('the kernels are those of Keras in form: 19 convolutions with 0.7 million weights', async (t) => {
  const { weights } = await load(leafInput(inception({})));
  const kernels = Object.entries(weights).filter(([name]) => name.endsWith('/kernel'));
  t.is(kernels.length, 19);
  // Counted by hand: stem 171,872 + mixed0 254,976 + mixed1 276,480.
  t.is(
    kernels.reduce((sum, [, { data }]) => sum + data.length, 0),
    864 + 9216 + 18432 + 5120 + 138240 + 254976 + 276480,
  );
});

test('its use is that of the convolutions that run, and of its weights', async (t) => {
  const component = inception({ upsample: 2 });
  const network = await load(leafInput(component));
  const weights = Object.fromEntries(
    Object.entries(network.weights).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape])]),
  );
  const use = component.use!(16)!;
  const images = tf.zeros([1, 16, 16, 3]) as tf.Tensor4D;
  t.is(await convFlops(() => network.features(weights, images, ['mixed1'])), use.flops.conv ?? 0);
  t.is(
    Object.values(network.weights).reduce((sum, { data }) => sum + data.length, 0),
    use.parameters,
  );
});
