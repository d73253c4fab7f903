import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '../../../../components/engine/gradients/register.ts';
import test from 'ava';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { conv } from '../../../../components/nn/layers.ts';
import { random } from '../../../../components/nn/random.ts';
import { leaves } from '../../../../components/nn/tree.ts';
import { initDecoder, initEncoder } from '../../../../components/tokenizer/autoencoder.ts';
import { dvae } from '../../../../components/tokenizer/dvae/config.ts';
import { networkCounts } from '../../../../components/tokenizer/networks/costs.ts';
import type { NetworkOptions } from '../../../../components/tokenizer/networks/options.ts';
import { upsampledConv } from '../../../../components/tokenizer/networks/upsample.ts';
import { vqvae } from '../../../../components/tokenizer/vqvae/config.ts';
import { between } from '../../engine/steps/support/seeded.ts';

test.before(async () => {
  await tf.setBackend('cpu');
});

const tensorOf = (name: string, shape: number[]) => tf.tensor(between(name, shape, -1, 1).data, shape);

const vqgan = { channels: 128, attention: true, latent: 256 };

/** A 1x1 convolution between `latent` and codes, which taming's encoder and decoder don't count. */
const toCodes = (from: number, to: number) => from * to + to;

for (const [multipliers, encoder, decoder] of [
  [[1, 1, 2, 2, 4], 29_298_176, 42_449_795],
  [[1, 1, 2, 4, 4], 38_148_864, 54_840_963],
] as const) {
  test(`VQGAN's encoder and decoder with multipliers ${multipliers} have as many parameters as the modules of taming`, (t) => {
    const options = { stride: 16, residualBlocks: 2, vqgan: { ...vqgan, multipliers } };
    const counts = networkCounts(options, 224, { outputs: 32, inputs: 32 });
    t.is(counts.encoder.parameters, encoder + toCodes(256, 32));
    t.is(counts.decoder.parameters, decoder + toCodes(32, 256));
  });
}

const forms: { readonly [name: string]: NetworkOptions } = {
  small: { stride: 8, residualBlocks: 2, width: 64 },
  'small without residual blocks': { stride: 4, residualBlocks: 0, width: 16 },
  vqgan: {
    stride: 4,
    residualBlocks: 2,
    vqgan: { channels: 32, multipliers: [1, 1, 2], attention: true, latent: 12 },
  },
  'vqgan without attention': {
    stride: 8,
    residualBlocks: 1,
    vqgan: { channels: 32, multipliers: [2, 1, 1, 3], attention: false, latent: 7 },
  },
};
for (const [name, options] of Object.entries(forms)) {
  test(`parameters are counted as they are made: ${name}`, (t) => {
    const counts = networkCounts(options, 32, { outputs: 24, inputs: 5 });
    const count = (tree: unknown) =>
      leaves<HostTensor>(tree as never).reduce((sum, { leaf }) => sum + leaf.data.length, 0);
    t.is(counts.encoder.parameters, count(initEncoder(random(0, 'encoder'), options, 24)));
    t.is(counts.decoder.parameters, count(initDecoder(random(0, 'decoder'), options, 5)));
  });
}

test('an upsampling convolution and its gradients are those of a 3x3 convolution of the repeated image', (t) => {
  const x = tensorOf('upsample x', [2, 3, 4, 5]);
  const weight = tensorOf('upsample weight', [3, 3, 5, 7]);
  const bias = tensorOf('upsample bias', [7]);
  const dy = tensorOf('upsample dy', [2, 6, 8, 7]);
  const repeated = (image: tf.Tensor) =>
    tf.reshape(tf.tile(tf.reshape(image, [2, 3, 1, 4, 1, 5]), [1, 1, 2, 1, 2, 1]), [2, 6, 8, 5]);
  const both = [
    (a: tf.Tensor, w: tf.Tensor, b: tf.Tensor) => upsampledConv(a as tf.Tensor4D, { weight: w, bias: b }),
    (a: tf.Tensor, w: tf.Tensor, b: tf.Tensor) => conv(repeated(a), { weight: w, bias: b }),
  ].map((f) => [f(x, weight, bias), ...tf.grads(f)([x, weight, bias], dy)]);
  for (const [index, given] of both[0].entries()) {
    const gap = tf.max(tf.abs(tf.sub(given, both[1][index]))).dataSync()[0];
    t.true(gap < 2e-5, `${index} differs by ${gap}`);
  }
});

test('fields of the two networks do not mix, and there is a multiplier for each resolution', (t) => {
  const issuesOf = (config: object) =>
    [vqvae, dvae].map((make) =>
      make({ steps: 1, ...config } as never).issues.map(
        ({ path, message }) => `${path.join('.')}: ${message}`,
      ),
    );
  const both = (issues: string[]) => [issues, issues];
  const five = { channels: 32, multipliers: [1, 1, 2, 2, 4] };
  t.deepEqual(issuesOf({ stride: 16, vqgan: five }), both([]));
  t.deepEqual(issuesOf({ stride: 16, vqgan: {} }), both([]));
  t.deepEqual(
    issuesOf({ stride: 8, vqgan: five }),
    both(['vqgan.multipliers: has 5 numbers; a stride of 8 has 4 resolutions']),
  );
  t.deepEqual(
    issuesOf({ stride: 16, width: 64, residualBlocks: 0, vqgan: {} }),
    both([
      'width: is a field of the small network, not of `vqgan`',
      'residualBlocks: must be at least 1 with `vqgan`',
    ]),
  );
  t.deepEqual(
    issuesOf({ stride: 16, vqgan: { channels: 48 } }),
    both(['vqgan.channels: must be a multiple of 32']),
  );
});
