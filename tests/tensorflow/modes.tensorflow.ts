import { setImmediate } from 'node:timers/promises';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { openEngine } from '../../components/engine/open.ts';
import type { HostTensor } from '../../components/engine/types.ts';
import { uniform } from '../components/engine/support/arbitrary.ts';
import { withTensorflow } from './support/library.ts';
import { warningsWithoutXla } from './support/xla.ts';

const matrix = (rows: number, columns: number, seed: number): HostTensor => ({
  dtype: 'float32',
  shape: [rows, columns],
  data: Float32Array.from({ length: rows * columns }, (_, index) => uniform(seed, index) - 0.5),
});

/** The nearest number of 8 binary digits; of two, the even one. */
function toBfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(Uint32Array.of(rounded >>> 0).buffer)[0]!;
}

type Given = { readonly x: Tensor };

await withTensorflow(() => {
  for (const mode of ['tensorflow:bf16', 'tensorflow:xla+bf16']) {
    test(`${mode}: operands of products are rounded to bfloat16; weights and sums are float32`, async (t) => {
      const engine = await openEngine({ name: mode });
      const [w, x] = [matrix(64, 8, 1), matrix(16, 64, 2)];
      const state = engine.state<{ w: Tensor }>({ w });
      const program = await engine.compile<{ w: Tensor }, Given, { y: Tensor; sum: Tensor }>({
        name: 'multiply',
        state,
        batch: { x: { shape: [16, 64] } },
        step: (given, batch) => ({
          state: { w: tf.mul(given.w, 1 + 2 ** -20) },
          out: {
            y: tf.matMul(batch.x as tf.Tensor2D, given.w as tf.Tensor2D),
            sum: tf.sum(tf.add(tf.mul(batch.x, 0), 1 + 2 ** -10)),
          },
        }),
      });
      const { y, sum } = await program.run({ x });
      let differs = false;
      for (let row = 0; row < 16; row++) {
        for (let column = 0; column < 8; column++) {
          let [rounded, exact, sizes] = [0, 0, 0];
          for (let inner = 0; inner < 64; inner++) {
            const [a, b] = [x.data[row * 64 + inner]!, w.data[inner * 8 + column]!];
            rounded += toBfloat16(a) * toBfloat16(b);
            exact += a * b;
            sizes += Math.abs(a * b);
          }
          const value = y.data[row * 8 + column]!;
          // The result is rounded as well, by at most 2^-8 of it (8 digits), after a sum of 64 terms in float32.
          const allowed = 2 ** -8 * Math.abs(rounded) + 64 * 2 ** -24 * sizes;
          t.true(Math.abs(value - rounded) <= allowed, `${value} instead of ${rounded}`);
          differs ||= Math.abs(value - exact) > 64 * 2 ** -24 * sizes;
        }
      }
      t.true(differs, 'float32 was used');
      // bfloat16 has no number between 1024 and 1032, and none between 1 and 1 + 2^-7.
      t.is(sum.data[0], 1025);
      const after = state.read().w;
      t.is(after.dtype, 'float32');
      const expected = w.data.map((value) => Math.fround(value * (1 + 2 ** -20)));
      t.deepEqual([...after.data], [...expected]);
      engine.dispose();
    });
  }

  test('a sum that needs much memory is compiled as it is: the optimiser of TensorFlow leaves the step alone', async (t) => {
    const warnings = warningsWithoutXla();
    const engine = await openEngine({ name: 'tensorflow:xla' });
    // Its optimiser splits sums of three or more terms, with operators that XLA has not, where a step needs more than four
    // fifths of the 256 MiB that it believes a CPU to have.
    const side = 4096;
    const program = await engine.compile<object, { row: Tensor; column: Tensor }, { mean: Tensor }>({
      name: 'sum',
      state: engine.state<object>({}),
      batch: { row: { shape: [side] }, column: { shape: [side] } },
      step: (state, { row, column }) => {
        // It knows shapes only behind a reshape.
        const x = tf.mul(tf.reshape(row, [1, side]), tf.reshape(column, [side, 1]));
        return { state, out: { mean: tf.mean(tf.addN([tf.sin(x), tf.cos(x), tf.square(x), tf.tanh(x)])) } };
      },
    });
    const filled = (value: number): HostTensor => ({
      dtype: 'float32',
      shape: [side],
      data: new Float32Array(side).fill(value),
    });
    const { mean } = await program.run({ row: filled(0), column: filled(3) });
    await setImmediate();
    t.deepEqual(
      warnings.filter((message) => message.includes("program 'sum'")),
      [],
    );
    t.is(mean.data[0], 1);
    engine.dispose();
  });

  test('what XLA cannot compile runs without it, with a warning that names the program', async (t) => {
    const warnings = warningsWithoutXla();
    const engine = await openEngine({ name: 'tensorflow:xla' });
    // XLA has no kernel of MaxPoolWithArgmax.
    const program = await engine.compile<object, Given, { places: Tensor }>({
      name: 'places',
      state: engine.state<object>({}),
      batch: { x: { shape: [1, 2, 4, 1] } },
      step: (state, { x }) => ({
        state,
        out: { places: tf.maxPoolWithArgmax(x as tf.Tensor4D, 2, 2, 'valid', true).indexes! },
      }),
    });
    const data = Float32Array.of(0, 5, 1, 1, 3, 4, 9, 1);
    const { places } = await program.run({ x: { dtype: 'float32', shape: [1, 2, 4, 1], data } });
    await setImmediate();
    t.deepEqual([...places.data], [1, 6]);
    t.regex(warnings.join('\n'), /^program 'places' runs without XLA, which can't compile it: /m);
    engine.dispose();
  });
});
