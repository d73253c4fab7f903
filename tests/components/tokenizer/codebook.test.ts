import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import test from 'ava';
import {
  codebookUsage,
  nearestCodes,
  perplexity,
  updateCodebook,
} from '../../../components/tokenizer/codebook.ts';

test.before(async () => {
  await tf.setBackend('cpu');
});

const near = (actual: tf.Tensor, expected: number[]) =>
  expected.every((value, i) => Math.abs(value - actual.dataSync()[i]) < 1e-5);

test('the nearest code is the one at the smallest distance', (t) => {
  const tokens = tf.tensor2d([
    [0, 0],
    [0.9, 1.2],
    [5, 5],
  ]);
  const vectors = tf.tensor2d([
    [1, 1],
    [0.1, 0],
    [4, 4],
  ]);
  t.deepEqual([...nearestCodes(tokens, vectors).dataSync()], [1, 0, 2]);
});

test('an EMA update without revival, by hand', (t) => {
  const codebook = {
    vectors: tf.tensor2d([[0], [10]]),
    counts: tf.tensor1d([2, 2]),
    sums: tf.tensor2d([[0], [20]]),
  };
  const next = updateCodebook(
    codebook,
    tf.tensor2d([[1], [3], [8]]),
    tf.tensor1d([0, 0, 1], 'int32'),
    tf.tensor1d([0, 0], 'int32'),
    { decay: 0.5, epsilon: 1e-9, reviveBelow: 0 },
  );
  // counts: (2 + 2) / 2, (2 + 1) / 2; sums: (0 + 4) / 2, (20 + 8) / 2
  t.true(near(next.counts, [2, 1.5]));
  t.true(near(next.sums, [2, 14]));
  t.true(near(next.vectors, [1, 14 / 1.5]));
});

test('a dead code becomes the candidate token, a live one stays', (t) => {
  const codebook = {
    vectors: tf.tensor2d([[1], [10]]),
    counts: tf.tensor1d([4, 0]),
    sums: tf.tensor2d([[4], [0]]),
  };
  const next = updateCodebook(
    codebook,
    tf.tensor2d([[1], [1], [7]]),
    tf.tensor1d([0, 0, 0], 'int32'),
    tf.tensor1d([0, 2], 'int32'),
    { decay: 1, epsilon: 1e-9, reviveBelow: 0.5 },
  );
  t.true(near(next.vectors, [1, 7]));
  t.true(near(next.counts, [4, 1]));
});

test('perplexity and usage of known histograms', (t) => {
  t.is(perplexity([5, 5, 5, 5]), 4);
  t.is(perplexity([9, 0, 0]), 1);
  t.is(codebookUsage([9, 0, 1, 0]), 0.5);
});
