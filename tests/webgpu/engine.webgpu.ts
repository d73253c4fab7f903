import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { openEngine } from '../../components/engine/open.ts';
import type { Engine, HostTensor } from '../../components/engine/types.ts';
import { EngineError } from '../../components/engine/types.ts';
import { leavesNothing } from '../components/engine/support/leaks.ts';
import { refusesLateMisuse, refusesMisuse } from '../components/engine/support/misuse.ts';
import { keepsState } from '../components/engine/support/state.ts';
import { withWebgpu } from './support/device.ts';

const vector = (...values: number[]): HostTensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

type Pair = { readonly a: Tensor; readonly b: Tensor };

/** A step of gradient descent, which counts in `b`. */
function compileTraining(engine: Engine, state: ReturnType<typeof engine.state<Pair>>) {
  return engine.compile<Pair, { x: Tensor }, { loss: Tensor }>({
    name: 'train',
    state,
    batch: { x: { shape: [64, 64] } },
    step: ({ a, b }, { x }) => {
      const { value, grads } = tf.valueAndGrads(
        (w: Tensor) => tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D))) as tf.Scalar,
      )([a]);
      return { state: { a: tf.sub(a, grads[0]!), b: tf.add(b, 1) }, out: { loss: value } };
    },
  });
}

const square = (value: number): HostTensor => ({
  dtype: 'float32',
  shape: [64, 64],
  data: Float32Array.from({ length: 4096 }, (_, index) => value * Math.sin(index + 1)),
});

await withWebgpu(() => {
  refusesMisuse('onnx:webgpu');
  refusesLateMisuse('onnx:webgpu');
  keepsState('onnx:webgpu');
  leavesNothing('onnx:webgpu');

  test('a step that the device has no room for changes nothing of the state', async (t) => {
    const engine = await openEngine({ name: 'onnx:webgpu' });
    const side = 32_768;
    const state = engine.state<Pair>({ a: vector(...Array<number>(side).fill(2)), b: vector(3) });
    const program = await engine.compile<Pair, object, { sum: Tensor }>({
      name: 'grow',
      state,
      batch: {},
      step: ({ a, b }) => {
        // 4 GiB, more than a buffer of SwiftShader can have.
        const products = tf.mul(tf.reshape(a, [side, 1]), tf.reshape(a, [1, side]));
        return { state: { a: tf.add(a, 1), b: tf.add(b, 1) }, out: { sum: tf.sum(tf.exp(products)) } };
      },
    });
    const { message } = await t.throwsAsync(program.run({}), { instanceOf: EngineError });
    t.regex(message, /^program 'grow' failed: .*smaller batches/);
    const { a, b } = state.read();
    t.deepEqual([a.data[0], a.data[side - 1], b.data[0]], [2, 2, 3]);
    engine.dispose();
  });

  test('indices out of range become the nearest that are in it, and end nothing', async (t) => {
    const engine = await openEngine({ name: 'onnx:webgpu' });
    const program = await engine.compile<object, { index: Tensor }, { picked: Tensor; added: Tensor }>({
      name: 'pick',
      state: engine.state<object>({}),
      batch: { index: { shape: [4], dtype: 'int32' } },
      step: (state, { index }) => ({
        state,
        out: {
          picked: tf.gather(tf.tensor1d([1, 2, 3]), index as tf.Tensor1D),
          added: tf.unsortedSegmentSum(tf.ones([4, 700]), index as tf.Tensor1D, 600),
        },
      }),
    });
    const index = { dtype: 'int32', shape: [4], data: Int32Array.of(2, 7, 2e9, -2e9) } as const;
    const { picked, added } = await program.run({ index });
    t.deepEqual([...picked.data], [3, 3, 3, 1]);
    t.is(
      [...added.data].reduce((sum, value) => sum + value, 0),
      1400,
    );
    engine.dispose();
  });

  test('a training begun on the CPU goes on on the device, and the other way round', async (t) => {
    const after = async (names: readonly string[]) => {
      let values = { a: square(0.01), b: vector(0) };
      const losses: number[] = [];
      for (const name of names) {
        const engine = await openEngine({ name });
        const state = engine.state<Pair>(values);
        const program = await compileTraining(engine, state);
        for (let step = 0; step < 3; step++) losses.push((await program.run({ x: square(1) })).loss.data[0]!);
        values = state.read() as typeof values;
        engine.dispose();
      }
      t.is(values.b.data[0], 6);
      return losses;
    };
    const expected = await after(['onnx', 'onnx']);
    for (const names of [
      ['onnx', 'onnx:webgpu'],
      ['onnx:webgpu', 'onnx'],
    ]) {
      for (const [step, loss] of (await after(names)).entries()) {
        t.true(Math.abs(loss - expected[step]!) <= 1e-5 * Math.abs(expected[step]!), `${names}: ${loss}`);
      }
    }
  });

  test('a thousand steps and two hundred readings take no memory', async (t) => {
    const engine = await openEngine({ name: 'onnx:webgpu' });
    const state = engine.state<Pair>({ a: square(0.01), b: vector(0) });
    const program = await compileTraining(engine, state);
    const x = square(1);
    const steps = async (count: number) => {
      for (let step = 0; step < count; step++) {
        await program.run({ x });
        if (step % 5 === 0) state.read();
        if (step % 50 === 0) state.write(state.read());
      }
    };
    await steps(200);
    const before = process.memoryUsage().rss;
    await steps(800);
    // A device in software has its buffers here: a tensor that is left in each step would be 13 MB or more.
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    t.true(grown < 10, `${grown} MiB more`);
    t.is(state.read().b.data[0], 1000);
    engine.dispose();
  });
});
