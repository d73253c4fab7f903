import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { hostTensor } from '../../../components/nn/tree.ts';
import { loadChecked } from '../../../components/tokenizer/checked.ts';
import type { Tokenizer } from '../../../components/tokenizer/tokenizer.ts';
import { StageError } from '../../../framework/stage/stage-error.ts';

/** Two images of 8 x 8 pixels in tokens of 4: a code for each of four squares. */
const images = tf.zeros([2, 8, 8, 3]);
const codes = tf.zeros([2, 4], 'int32');
const right: Tokenizer = {
  ...{ vocabulary: 5, stride: 4, codebook: hostTensor([5, 2]), weights: {} },
  encode: () => codes,
  decode: () => images,
};

/** What `load` gives of a tokenizer of this form. */
const loaded = (change: { readonly [part in keyof Tokenizer]?: unknown }) =>
  loadChecked({
    ...{ kind: 'mine', config: {}, dir: '', files: {}, inputs: {} },
    load: async () => ({ ...right, ...change }) as Tokenizer,
  });

test('a tokenizer that gives what it should is as it was', async (t) => {
  const { encode, decode, ...rest } = await loaded({});
  t.like(rest, { vocabulary: 5, stride: 4, codebook: right.codebook });
  t.is(encode({}, images), codes);
  t.is(decode({}, codes), images);
  const wide = await loaded({ decode: () => tf.zeros([2, 4, 16, 3]) });
  t.deepEqual(wide.decode({}, codes).shape, [2, 4, 16, 3]);
});

const wrongParts: { readonly [message: string]: { readonly [part in keyof Tokenizer]?: unknown } } = {
  'the tokenizer "mine": its `load` gives no function decode': { decode: undefined },
  'the tokenizer "mine": its vocabulary is 2.5': { vocabulary: 2.5 },
  'the tokenizer "mine": its stride is undefined': { stride: undefined },
  'the tokenizer "mine": its codebook has the shape [2, 5], not [5, dim]': { codebook: hostTensor([2, 5]) },
};
for (const [message, change] of Object.entries(wrongParts))
  test(`before anything is computed: ${message}`, async (t) => {
    const error = await t.throwsAsync(loaded(change), { instanceOf: StageError, message });
    t.not(error.hint, undefined);
  });

const wrongTensors: { readonly [message: string]: () => unknown } = {
  'encode gives a promise, not int32 [2, 4]': async () => codes,
  'encode gives a list, not int32 [2, 4]': () => [1, 2],
  'decode gives undefined, not float32 [2, 8, 8, 3]': () => {},
  'encode gives int32 [2, 2], not int32 [2, 4]': () => tf.zeros([2, 2], 'int32'),
  'encode gives float32 [2, 4], not int32 [2, 4]': () => tf.zeros([2, 4]),
  'encode gives int32 [8], not int32 [2, 4]': () => tf.zeros([8], 'int32'),
  'decode gives float32 [2, 3, 8, 8], not float32 [2, 8, 8, 3]': () => tf.zeros([2, 3, 8, 8]),
  'decode gives float32 [2, 8, 8, 1], not float32 [2, 8, 8, 3]': () => tf.zeros([2, 8, 8, 1]),
  'decode gives float32 [2, 8, 8], not float32 [2, 8, 8, 3]': () => tf.zeros([2, 8, 8]),
  'decode gives float32 [2, 16, 16, 3], not float32 [2, 8, 8, 3]': () => tf.zeros([2, 16, 16, 3]),
};
for (const [message, give] of Object.entries(wrongTensors))
  test(`tensors of another form are refused: ${message}`, async (t) => {
    const { encode, decode } = await loaded({ encode: give, decode: give });
    const call = message.startsWith('encode') ? () => encode({}, images) : () => decode({}, codes);
    const error = t.throws(call, { instanceOf: StageError, message: `the tokenizer "mine": ${message}` });
    t.not(error.hint, undefined);
  });
