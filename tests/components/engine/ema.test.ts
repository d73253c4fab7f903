import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { movingAverage } from '../../../components/engine/ema.ts';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostOf, HostTensor } from '../../../components/engine/types.ts';
import { EngineError } from '../../../components/engine/types.ts';

type Weights = { readonly block: { readonly w: Tensor }; readonly seen: Tensor };
type Model = { readonly weights: Weights; readonly average: Weights };

const vector = (...values: number[]): HostTensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const count = (value: number): HostTensor => ({ dtype: 'int32', shape: [], data: Int32Array.of(value) });
const weights = (seen: number, ...w: number[]): HostOf<Weights> => ({
  block: { w: vector(...w) },
  seen: count(seen),
});

for (const name of ['onnx', 'reference', 'wasm']) {
  test(`${name}: the average follows the weights as by hand, and can be evaluated beside them`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<Model>({ weights: weights(0, 0, 8), average: weights(0, 0, 8) });
    const train = await engine.compile<Model, { by: Tensor }, object>({
      name: 'train',
      state,
      batch: { by: { shape: [2] } },
      step: (before, { by }) => {
        const after = {
          block: { w: tf.add(before.weights.block.w, by) },
          seen: tf.add(before.weights.seen, tf.scalar(1, 'int32')),
        };
        return { state: { weights: after, average: movingAverage(before.average, after, 0.75) }, out: {} };
      },
    });
    const evaluate = (which: keyof Model) =>
      engine.compile<Model, { x: Tensor }, { y: Tensor }>({
        name: `evaluate ${which}`,
        state,
        batch: { x: { shape: [2] } },
        step: (given, { x }) => ({ state: given, out: { y: tf.sum(tf.mul(given[which].block.w, x)) } }),
      });
    const [current, averaged] = [await evaluate('weights'), await evaluate('average')];
    const ask = async (program: typeof current) => (await program.run({ x: vector(1, 100) })).y.data[0];
    await train.run({ by: vector(4, -8) });
    // weights [4, 0]; average 0.75 * [0, 8] + 0.25 * [4, 0] = [1, 6]
    t.deepEqual([await ask(current), await ask(averaged)], [4, 601]);
    await train.run({ by: vector(4, 4) });
    // weights [8, 4]; average 0.75 * [1, 6] + 0.25 * [8, 4] = [2.75, 5.5]
    t.deepEqual([await ask(current), await ask(averaged)], [408, 552.75]);
    const { average } = state.read();
    t.deepEqual([...average.seen.data], [2], 'counters are taken over');
    t.is(average.seen.dtype, 'int32');
    engine.dispose();
  });
}

test('the decay may come from the batch', async (t) => {
  const engine = await openEngine();
  const state = engine.state<{ a: Tensor; w: Tensor }>({ a: vector(0), w: vector(16) });
  const program = await engine.compile<{ a: Tensor; w: Tensor }, { decay: Tensor }, object>({
    name: 'average',
    state,
    batch: { decay: { shape: [] } },
    step: ({ a, w }, { decay }) => ({ state: { a: movingAverage(a, w, decay), w }, out: {} }),
  });
  const values: number[] = [];
  for (const decay of [0, 1, 0.5]) {
    if (decay === 0.5) state.write({ a: vector(0), w: vector(16) });
    await program.run({ decay: { dtype: 'float32', shape: [], data: Float32Array.of(decay) } });
    values.push(state.read().a.data[0]!);
  }
  t.deepEqual(values, [16, 16, 8]);
  engine.dispose();
});

test('trees of different form and impossible decays are refused', async (t) => {
  const engine = await openEngine();
  const compile = (average: (w: Tensor) => unknown) =>
    engine.compile<{ w: Tensor }, object, object>({
      name: 'train',
      state: engine.state<{ w: Tensor }>({ w: vector(1) }),
      batch: {},
      step: ({ w }) => ({ state: { w }, out: average(w) as object }),
    });
  const messages = [
    (w: Tensor) => movingAverage<object>({ a: w }, { b: w }, 0.5),
    (w: Tensor) => movingAverage<object>({ a: w }, { a: w, b: w }, 0.5),
    (w: Tensor) => movingAverage({ w }, { w }, 1.5),
    (w: Tensor) => movingAverage({ w }, { w }, Number.NaN),
  ].map(async (average) => {
    const error = await t.throwsAsync(compile(average), { instanceOf: EngineError });
    return error.message.replace(/:\d+\)$/, ':LINE)');
  });
  t.snapshot(await Promise.all(messages));
  engine.dispose();
});
