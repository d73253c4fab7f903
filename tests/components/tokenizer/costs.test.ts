import test from 'ava';
import { vgg } from '../../../components/perceptual/vgg/config.ts';
import { dvae } from '../../../components/tokenizer/dvae/config.ts';
import { tokenizerEvaluation } from '../../../components/tokenizer/evaluation/config.ts';
import { vqvae } from '../../../components/tokenizer/vqvae/config.ts';

const train = { name: 'data.train', facts: { size: 224, images: 1_281_167 } };
const network = {
  name: 'the network "vgg"',
  facts: {},
  use: (size: number) =>
    size === 224 ? { parameters: 10, flops: { conv: 1e9 }, activations: 4e6 } : undefined,
};
const perceptual = { network: vgg(), layers: ['relu1_1'] };
const f16 = {
  ...{ stride: 16 as const, epochs: 100, batchSize: 128, microBatch: 2, view: { size: 224 } },
  vqgan: { channels: 128, multipliers: [1, 1, 2, 2, 4] },
};

/** FLOPs of taming's encoder and decoder of the sizes above, by hand: every 3x3 and 1x1 convolution, and the attention. */
function byHand() {
  const conv = (side: number, size: number, from: number, to: number) =>
    2 * side ** 2 * size ** 2 * from * to;
  const block = (side: number, from: number, to: number) =>
    conv(side, 3, from, to) + conv(side, 3, to, to) + (from === to ? 0 : conv(side, 1, from, to));
  const attention = 4 * conv(14, 1, 512, 512) + 2 * (2 * 196 * 196 * 512);
  const middle = 2 * block(14, 512, 512) + attention;
  // Two by two pixels are four 2x2 convolutions of the smaller image.
  const up = (side: number, width: number) => 4 * conv(side, 2, width, width);
  const first = conv(224, 3, 3, 128);
  const encoder =
    first +
    2 * block(224, 128, 128) +
    conv(112, 3, 128, 128) +
    2 * block(112, 128, 128) +
    conv(56, 3, 128, 128) +
    block(56, 128, 256) +
    block(56, 256, 256) +
    conv(28, 3, 256, 256) +
    2 * block(28, 256, 256) +
    conv(14, 3, 256, 256) +
    block(14, 256, 512) +
    block(14, 512, 512) +
    2 * attention +
    middle +
    conv(14, 3, 512, 256) +
    conv(14, 1, 256, 32);
  const decoder =
    conv(14, 1, 32, 256) +
    conv(14, 3, 256, 512) +
    middle +
    3 * block(14, 512, 512) +
    3 * attention +
    up(14, 512) +
    block(28, 512, 256) +
    2 * block(28, 256, 256) +
    up(28, 256) +
    3 * block(56, 256, 256) +
    up(56, 256) +
    block(112, 256, 128) +
    2 * block(112, 128, 128) +
    up(112, 128) +
    3 * block(224, 128, 128) +
    conv(224, 3, 128, 3);
  return { first, encoder, decoder };
}

test('FLOPs of a tokenizer in VQGAN form are those of its convolutions, and three passes of the perceptual network', (t) => {
  const component = vqvae({ ...f16, codebook: { size: 8192, dim: 32 }, loss: { perceptual } });
  t.deepEqual(component.issues, []);
  const costs = component.costs!({ train, network })!;
  const { first, encoder, decoder } = byHand();
  const codes = 2 * 196 * 8192 * 32;
  t.is(costs.parameters, 29_298_176 + 42_449_795 + (256 * 32 + 32) + (32 * 256 + 256));
  t.deepEqual(costs.flops, { conv: 3 * (encoder + decoder) - first + 3e9, dense: 2 * codes });
  t.is(costs.images, Math.ceil((100 * 1_281_167) / 128) * 128);
  const use = component.use!(224)!;
  t.deepEqual(use.flops, { conv: encoder, dense: codes });
  t.deepEqual(use.back, { conv: decoder });
  t.is(use.parameters, costs.parameters! + 8192 * 32);
});

test('a dVAE computes shares of all codes, forward and backward, and trains its code vectors', (t) => {
  const small = { stride: 8 as const, width: 64, steps: 10, batchSize: 4, codebook: { size: 100, dim: 5 } };
  const wired = { train: { name: 'data.train', facts: { size: 32 } } };
  const [a, b] = [dvae(small), vqvae({ ...small, codebook: { size: 64, dim: 100 } })].map(
    (made) => made.costs!(wired)!,
  );
  t.is(a!.flops!.dense, 3 * 2 * 16 * 100 * 5);
  t.is(b!.flops!.dense, 2 * 2 * 16 * 64 * 100);
  t.is(a!.images, 40);
});

test('what is not known is left out', (t) => {
  const component = vqvae({ stride: 16, epochs: 1, loss: { perceptual } });
  t.is(component.costs!({ train: undefined, network }), undefined);
  t.is(component.costs!({ train: { name: 'data.train', facts: {} }, network }), undefined);
  t.is(component.costs!({ train, network: { name: 'x', facts: {} } }), undefined);
});

test('an evaluation encodes all that it probes and decodes the first images', (t) => {
  const tokenizer = {
    name: 'the tokenizer "x"',
    facts: { stride: 16 },
    use: () => ({ parameters: 1, flops: { conv: 100 }, activations: 0, back: { conv: 300 } }),
  };
  const test = { name: 'data.test', facts: { size: 224, images: 50 } };
  const given = { tokenizer, test, train };
  const costs = (config: object) => tokenizerEvaluation(config).costs!(given);
  t.deepEqual(costs({ images: 10, probeLabels: 0 }), {
    ...{ parameters: 0, images: 10, flops: { conv: 400, dense: 0 } },
  });
  t.deepEqual(costs({ images: 10, probeLabels: 50 }), {
    ...{ parameters: 0, images: 100, flops: { conv: 130, dense: 0 } },
  });
});
