import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import fc from 'fast-check';
import { hostTensor } from '../../../components/nn/tree.ts';
import { compute } from './steps/support/train.ts';

const smallestNormal = 2 ** -126;
const largest = (2 - 2 ** -23) * 2 ** 127;

/** Rounded as the engine computes: to float32, where numbers below the normal ones count as 0. */
function rounded(value: number): number {
  const float = Math.fround(value);
  return Math.abs(float) < smallestNormal ? 0 * Math.sign(float) : float;
}

type Operation = readonly ['times' | 'timesLeft' | 'by', number];

/** What a chain of operations with known numbers gives, one after the other. */
function inTurn(x: number, chain: readonly Operation[]): number {
  return chain.reduce(
    (value, [op, factor]) => rounded(op === 'by' ? value / rounded(factor) : value * rounded(factor)),
    rounded(x),
  );
}

function traced(x: Tensor, chain: readonly Operation[]): Tensor {
  return chain.reduce((value: Tensor, [op, factor]) => {
    if (op === 'by') return tf.div(value, factor);
    return op === 'times' ? tf.mul(value, factor) : tf.mul(factor, value);
  }, x);
}

/** Equal but for a few roundings, also at the borders of float32's range. */
function agree(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (Number.isNaN(a) || Number.isNaN(b)) return false;
  const [one, other] = [a, b].map((value) => Math.max(-largest, Math.min(largest, value)));
  return Math.abs(one - other) <= 1e-6 * Math.max(Math.abs(one), Math.abs(other)) + 2 * smallestNormal;
}

const magnitudes = [0, 1e-45, 1e-38, 1e-30, 1e-20, 1e-6, 0.1, 0.5, 1, 2, 10, 1e6, 1e20, 1e30, 3e38];
const inputs = magnitudes.flatMap((size) => [size, -size]).concat(Number.POSITIVE_INFINITY, Number.NaN);

async function outcome(chain: readonly Operation[]): Promise<readonly number[]> {
  const x = hostTensor([inputs.length], Float32Array.from(inputs));
  const { y } = await compute<{ x: Tensor }, { y: Tensor }, Record<string, never>>(
    {},
    {},
    { x },
    (_, given) => ({
      y: traced(given.x, chain),
    }),
  );
  return [...y.data];
}

const factor = fc
  .tuple(
    fc.boolean(),
    fc.oneof(fc.double({ min: -38, max: 38.5, noNaN: true }), fc.constantFrom(-30, -20, 0, 20, 30)),
  )
  .map(([negative, exponent]) => (negative ? -1 : 1) * 10 ** exponent);
const operation = fc.tuple(fc.constantFrom('times', 'timesLeft', 'by'), factor) as fc.Arbitrary<Operation>;

test('a chain of known factors gives what it gives one after the other', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 5 }), async (chain) => {
      const out = await outcome(chain);
      for (const [i, x] of inputs.entries()) {
        const expected = inTurn(x, chain);
        t.true(agree(out[i], expected), `${x} ${JSON.stringify(chain)}: ${out[i]}, not ${expected}`);
      }
    }),
    { numRuns: 80, seed: 5 },
  );
});

const by = (...factors: number[]): Operation[] => factors.map((each) => ['times', each]);

test('factors whose product float32 cannot hold are applied one after the other', async (t) => {
  const at = (out: readonly number[], x: number) => out[inputs.indexOf(x)];
  t.is(
    at(await outcome(by(1e30, 1e30)), 1e-30),
    Math.fround(Math.fround(1e-30) * Math.fround(1e30)) * Math.fround(1e30),
  );
  t.true(agree(at(await outcome(by(1e-30, 1e-30)), 1e30), 1e-30));
  t.true(agree(at(await outcome(by(1e30, 1e30, 1e-30, 1e-30)), 1e-30), 1e-30));
  t.is(at(await outcome(by(1e30, 1e-30)), 1e20), Number.POSITIVE_INFINITY, 'as float32 has it');
  t.is(at(await outcome(by(1e30, 1e30)), 0), 0, 'not 0 times infinity');
});

test('known numbers are folded as float32 rounds them', async (t) => {
  const ops: { readonly [name: string]: readonly [() => Tensor, number] } = {
    overflow: [() => tf.mul(tf.scalar(1e30), tf.scalar(1e30)), Number.POSITIVE_INFINITY],
    'divided by 0': [() => tf.div(tf.scalar(-1), tf.scalar(0)), Number.NEGATIVE_INFINITY],
    '0 by 0': [() => tf.div(tf.scalar(0), tf.scalar(0)), Number.NaN],
    'a third': [() => tf.div(tf.scalar(1), tf.scalar(3)), Math.fround(1 / 3)],
    'power that overflows': [() => tf.pow(tf.scalar(10), tf.scalar(39)), Number.POSITIVE_INFINITY],
    power: [() => tf.pow(tf.scalar(2), tf.scalar(-100)), 2 ** -100],
    absorbed: [() => tf.sub(tf.add(tf.scalar(1e8), tf.scalar(1)), tf.scalar(1e8)), 0],
    exponential: [() => tf.exp(tf.scalar(100)), Number.POSITIVE_INFINITY],
  };
  const { x: _, ...out } = await compute<{ x: Tensor }, { [name: string]: Tensor }, Record<string, never>>(
    {},
    {},
    { x: hostTensor([]) },
    (_nothing, { x }) => ({
      x,
      ...Object.fromEntries(Object.entries(ops).map(([name, [op]]) => [name, tf.add(tf.mul(x, 0), op())])),
    }),
  );
  for (const [name, [, right]] of Object.entries(ops)) t.is(out[name].data[0], right, name);
});
