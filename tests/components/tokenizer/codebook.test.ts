import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '../../../components/engine/gradients/register.ts';
import test from 'ava';
import { random } from '../../../components/nn/random.ts';
import {
  type Codebook,
  type CodebookOptions,
  codebookUsage,
  codeStatistics,
  codeUse,
  nearestCodes,
  perplexity,
  revivalCandidates,
  sumsByCode,
  unitRows,
  updateCodebook,
} from '../../../components/tokenizer/codebook.ts';
import { between } from '../engine/steps/support/seeded.ts';

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

/** The codebook after a batch of these tokens. */
function afterBatch(
  codebook: Codebook<tf.Tensor>,
  tokens: tf.Tensor,
  codes: tf.Tensor,
  candidates: tf.Tensor,
  options: CodebookOptions,
): Codebook<tf.Tensor> {
  const statistics = codeStatistics(tokens, codes, candidates, codebook.vectors.shape[0]!);
  return updateCodebook(codebook, statistics, options);
}

test('an EMA update without revival, by hand', (t) => {
  const codebook = {
    vectors: tf.tensor2d([[0], [10]]),
    counts: tf.tensor1d([2, 2]),
    sums: tf.tensor2d([[0], [20]]),
  };
  const next = afterBatch(
    codebook,
    tf.tensor2d([[1], [3], [8]]),
    tf.tensor1d([0, 0, 1], 'int32'),
    tf.tensor1d([0, 0], 'int32'),
    { decay: 0.5, epsilon: 1e-9, reviveBelow: 0, normalise: false },
  );
  // counts: (2 + 2) / 2, (2 + 1) / 2; sums: (0 + 4) / 2, (20 + 8) / 2
  t.true(near(next.counts, [2, 1.5]));
  t.true(near(next.sums!, [2, 14]));
  t.true(near(next.vectors, [1, 14 / 1.5]));
});

test('a dead code becomes the candidate token, a live one stays', (t) => {
  const codebook = {
    vectors: tf.tensor2d([[1], [10]]),
    counts: tf.tensor1d([4, 0]),
    sums: tf.tensor2d([[4], [0]]),
  };
  const next = afterBatch(
    codebook,
    tf.tensor2d([[1], [1], [7]]),
    tf.tensor1d([0, 0, 0], 'int32'),
    tf.tensor1d([0, 2], 'int32'),
    { decay: 0.5, epsilon: 1e-9, reviveBelow: 0.5, normalise: false },
  );
  // Code 0: (4 + 3) / 2 tokens on average, (4 + 9) / 2 their sum.
  t.true(near(next.vectors, [6.5 / 3.5, 7]));
  t.true(near(next.counts, [3.5, 1]));
});

test('perplexity and usage of known histograms', (t) => {
  t.is(perplexity([5, 5, 5, 5]), 4);
  t.is(perplexity([9, 0, 0]), 1);
  t.is(codebookUsage([9, 0, 1, 0]), 0.5);
  // The same of a step: two codes of four, equally often; all tokens one code.
  for (const [counts, wanted] of [
    [
      [3, 0, 3, 0],
      [2, 0.5],
    ],
    [
      [0, 7, 0, 0],
      [1, 0.25],
    ],
  ] as const) {
    const use = codeUse(tf.tensor1d([...counts]));
    t.true(near(use.perplexity, [wanted[0]]));
    t.true(near(use.codesUsed, [wanted[1]]));
  }
});

test('a code that no token takes keeps its vector, from the first step on and for any number of steps', (t) => {
  let codebook: Codebook<tf.Tensor> = {
    vectors: tf.tensor2d([[1], [-5]]) as tf.Tensor,
    counts: tf.zeros([2]) as tf.Tensor,
    sums: tf.zeros([2, 1]) as tf.Tensor,
  };
  const unused = tf.tensor1d([0, 0], 'int32');
  const options = { decay: 0.5, epsilon: 1e-5, reviveBelow: 0, normalise: false };
  for (let step = 0; step < 200; step++) {
    codebook = afterBatch(codebook, tf.tensor2d([[2], [4]]), tf.tensor1d([0, 0], 'int32'), unused, options);
    t.is(codebook.vectors.dataSync()[1], -5);
  }
  t.true(Math.abs(codebook.vectors.dataSync()[0] - 3) < 1e-3);
});

test('a code that was used and then is not keeps its last vector', (t) => {
  const options = { decay: 0.9, epsilon: 1e-5, reviveBelow: 0, normalise: false };
  const none = tf.tensor1d([0, 0], 'int32');
  const take = (codes: number[], from: Codebook<tf.Tensor>) =>
    afterBatch(from, tf.tensor2d([[2], [8]]), tf.tensor1d(codes, 'int32'), none, options);
  const start = { vectors: tf.tensor2d([[1], [9]]), counts: tf.zeros([2]), sums: tf.zeros([2, 1]) };
  let now = take([0, 1], start);
  const last = now.vectors.dataSync()[1];
  t.true(Math.abs(last - 8) < 1e-2);
  // Far enough for its averages to become exactly 0.
  for (let step = 0; step < 1200; step++) now = take([0, 0], now);
  t.is(now.vectors.dataSync()[1], last);
});

test('candidates for revival are all different while there are enough tokens', (t) => {
  const some = revivalCandidates(random(1, 'revival'), 1024, 1024);
  t.is(new Set(some).size, 1024);
  t.true(some.every((token) => token >= 0 && token < 1024));
  t.is(new Set(revivalCandidates(random(2, 'revival'), 100, 1024)).size, 100);
  // 10 tokens for 25 codes: each two or three times.
  const many = [...revivalCandidates(random(3, 'revival'), 25, 10)];
  const counts = Array.from({ length: 10 }, (_, token) => many.filter((one) => one === token).length);
  t.deepEqual([...counts].sort(), [2, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
});

test('nearest codes of more tokens than fit into one block are those of each alone', (t) => {
  // 700 tokens by 8,192 codes are more than 4 million numbers.
  const [count, size, dim] = [700, 8192, 3];
  const tokens = between('block tokens', [count, dim], -1, 1).data;
  const vectors = between('block vectors', [size, dim], -1, 1).data;
  const found = nearestCodes(tf.tensor2d(tokens, [count, dim]), tf.tensor2d(vectors, [size, dim])).dataSync();
  const distance = (row: number, code: number) => {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += (tokens[row * dim + d] - vectors[code * dim + d]) ** 2;
    return sum;
  };
  for (let row = 0; row < count; row++) {
    let least = Number.POSITIVE_INFINITY;
    for (let code = 0; code < size; code++) least = Math.min(least, distance(row, code));
    t.true(distance(row, found[row]) <= least + 1e-6, `token ${row}`);
  }
});

test('sums by code of more tokens than fit into one block, by hand', (t) => {
  const [count, size] = [700, 8192];
  const codes = Int32Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 5 : 8000));
  const tokens = tf.tensor2d(
    Float32Array.from({ length: count }, (_, i) => i),
    [count, 1],
  );
  const { taken, sums } = sumsByCode(tokens, tf.tensor1d(codes, 'int32'), size);
  const [counts, totals] = [taken.dataSync(), sums.dataSync()];
  t.deepEqual([counts[5], counts[8000], counts[6]], [350, 350, 0]);
  // 0 + 2 + ... + 698 and 1 + 3 + ... + 699
  t.deepEqual([totals[5], totals[8000], totals[6]], [122_150, 122_500, 0]);
});

test('normalised codes turn towards the mean of their tokens and stay unit vectors, by hand', (t) => {
  const codebook = {
    vectors: tf.tensor2d([
      [1, 0],
      [0, 1],
      [0.6, 0.8],
    ]),
    counts: tf.tensor1d([1, 1, 1]),
  };
  const next = afterBatch(
    codebook,
    tf.tensor2d([
      [0, 1],
      [0, -1],
      [0.8, 0.6],
    ]),
    tf.tensor1d([0, 1, 0], 'int32'),
    tf.tensor1d([0, 0, 0], 'int32'),
    { decay: 0.5, epsilon: 1e-5, reviveBelow: 0, normalise: true },
  );
  // Code 0: towards (0.8, 1.6) / |.| = (1, 2) / sqrt(5); code 1: towards its opposite, so to nothing; code 2: not taken.
  const half = [1 + 1 / Math.sqrt(5), 2 / Math.sqrt(5)];
  const length = Math.hypot(...half);
  t.true(near(next.vectors, [half[0] / length, half[1] / length, 0, 0, 0.6, 0.8]));
  t.true(near(next.counts, [1.5, 1, 0.5]));
  t.is(next.sums, undefined);
});

test('a row of zeros has no direction, and no gradient that is not a number', (t) => {
  const rows = tf.tensor2d([
    [3, 4],
    [0, 0],
  ]);
  t.true(near(unitRows(rows), [0.6, 0.8, 0, 0]));
  const gradient = tf.grad((x) => unitRows(x))(rows, tf.zerosLike(rows));
  t.true(near(gradient, [0, 0, 0, 0]));
});
