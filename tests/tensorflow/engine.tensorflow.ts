import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { openEngine } from '../../components/engine/open.ts';
import { findTensorflow, type Tensorflow } from '../../components/engine/tensorflow/library.ts';
import type { HostTensor } from '../../components/engine/types.ts';
import { EngineError } from '../../components/engine/types.ts';
import { leavesNothing } from '../components/engine/support/leaks.ts';
import { refusesLateMisuse, refusesMisuse } from '../components/engine/support/misuse.ts';
import { keepsState } from '../components/engine/support/state.ts';
import { withTensorflow } from './support/library.ts';

const vector = (...values: number[]): HostTensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

type Pair = { readonly a: Tensor; readonly b: Tensor };

await withTensorflow(() => {
  refusesMisuse('tensorflow');
  refusesLateMisuse('tensorflow');
  keepsState('tensorflow');
  leavesNothing('tensorflow');

  test('a step that fails half-way changes nothing of the state', async (t) => {
    const engine = await openEngine({ name: 'tensorflow' });
    const state = engine.state<Pair>({ a: vector(1, 2), b: vector(3, 4) });
    const program = await engine.compile<Pair, { index: Tensor }, { picked: Tensor }>({
      name: 'pick',
      state,
      batch: { index: { shape: [1], dtype: 'int32' } },
      step: ({ a, b }, { index }) => ({
        state: { a: tf.add(a, 1), b: tf.add(b, tf.gather(a, index)) },
        out: { picked: tf.gather(b, index) },
      }),
    });
    const at = (index: number) => ({
      index: { dtype: 'int32', shape: [1], data: Int32Array.of(index) } as const,
    });
    const { message } = await t.throwsAsync(program.run(at(7)), { instanceOf: EngineError });
    t.regex(message, /^program 'pick' failed: indices\[0\] = 7 is not in \[0, 2\)/);
    t.deepEqual([...state.read().a.data, ...state.read().b.data], [1, 2, 3, 4]);
    t.deepEqual([...(await program.run(at(1))).picked.data], [4]);
    t.deepEqual([...state.read().a.data, ...state.read().b.data], [2, 3, 5, 6]);
    engine.dispose();
  });

  test('signals and timers have their turn during a step, and a process ends by itself or, asked to, after the step', async (t) => {
    const script = fileURLToPath(new URL('./support/end-early.ts', import.meta.url));
    const run = (how: string) =>
      promisify(execFile)(
        process.execPath,
        [`--import=${import.meta.resolve('tsx')}`, '--conditions=peco-source', script, how],
        { timeout: 120_000 },
      ).then(
        ({ stdout }) => stdout.trim(),
        ({ code, stdout }: { code: unknown; stdout: string }) => `${stdout.trim()} and code ${code}`,
      );
    t.deepEqual(await Promise.all(['unused', 'by itself', 'exit', 'signal'].map(run)), [
      'unused',
      'step done, 2',
      'exit during a step and code 3',
      'SIGTERM during a step, then step done, 2',
    ]);
  });

  test('large constants and bytes of pictures of any size arrive as they are', async (t) => {
    const engine = await openEngine({ name: 'tensorflow' });
    const table = Float32Array.from({ length: 2 ** 19 }, (_, index) => index % 1000);
    const state = engine.state<object>({});
    const program = await engine.compile<object, { x: Tensor }, { sum: Tensor }, { table: Tensor }>({
      name: 'look up',
      state,
      batch: { x: { shape: [7], dtype: 'uint8' } },
      constants: { table: { dtype: 'float32', shape: [2 ** 19], data: table } },
      step: (given, { x }, constants) => ({
        state: given,
        out: { sum: tf.gather(constants.table, tf.cast(x, 'int32')) },
      }),
    });
    table.fill(-1);
    const x = (...bytes: number[]) => ({ dtype: 'uint8', shape: [7], data: Uint8Array.from(bytes) }) as const;
    t.deepEqual(
      [...(await program.run({ x: x(0, 255, 1, 128, 127, 3, 2) })).sum.data],
      [0, 255, 1, 128, 127, 3, 2],
    );
    // Another program makes another session, which the constants move to.
    const other = await engine.compile<object, object, { one: Tensor }>({
      name: 'other',
      state,
      batch: {},
      step: (given) => ({ state: given, out: { one: tf.scalar(1) } }),
    });
    t.deepEqual([...(await other.run({})).one.data], [1]);
    t.is((await program.run({ x: x(9, 0, 0, 0, 0, 0, 0) })).sum.data[0], 9);
    engine.dispose();
  });

  test('a thousand steps leave no tensor in the library and take no memory', async (t) => {
    const engine = await openEngine({ name: 'tensorflow' });
    const { thread } = (await findTensorflow()) as Tensorflow;
    const count = () => thread.ask<'count'>({ kind: 'count' });
    const state = engine.state<Pair>({
      a: { dtype: 'float32', shape: [256, 256], data: new Float32Array(65_536).fill(0.01) },
      b: vector(0),
    });
    const program = await engine.compile<Pair, { x: Tensor }, { loss: Tensor }>({
      name: 'train',
      state,
      batch: { x: { shape: [256, 256] } },
      step: ({ a, b }, { x }) => {
        const { value, grads } = tf.valueAndGrads(
          (w: Tensor) => tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D))) as tf.Scalar,
        )([a]);
        return { state: { a: tf.sub(a, grads[0]!), b: tf.add(b, 1) }, out: { loss: value } };
      },
    });
    const x = { dtype: 'float32', shape: [256, 256], data: new Float32Array(65_536).fill(0.5) } as const;
    for (let step = 0; step < 100; step++) await program.run({ x });
    const before = { tensors: await count(), memory: process.memoryUsage().rss };
    for (let step = 0; step < 900; step++) await program.run({ x });
    t.is(await count(), before.tensors);
    // A leak of one batch a step would be 236 MB.
    const grown = (process.memoryUsage().rss - before.memory) / 2 ** 20;
    t.true(grown < 60, `${grown} MiB more`);
    t.is(state.read().b.data[0], 1000);
    engine.dispose();
  });

  test('a training is the same bytes with 1, 2 and 4 threads and from run to run', async (t) => {
    const script = fileURLToPath(new URL('./support/train-in-child.ts', import.meta.url));
    const digests = await Promise.all(
      ['1', '1', '2', '4'].map(async (threads) => {
        const { stdout } = await promisify(execFile)(
          process.execPath,
          [`--import=${import.meta.resolve('tsx')}`, '--conditions=peco-source', script],
          { env: { ...process.env, TF_NUM_INTRAOP_THREADS: threads } },
        );
        return stdout.trim().split('\n').at(-1);
      }),
    );
    t.is(new Set(digests).size, 1, digests.join(', '));
    t.regex(digests[0]!, /^[0-9a-f]{64}$/);
  });
});
