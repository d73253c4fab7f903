import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { openEngine } from '../../../../components/engine/open.ts';
import type { HostOf } from '../../../../components/engine/types.ts';
import type { W, X } from './small.ts';
import { compile, identity, messageOf, zeros } from './small.ts';

/** An array whose memory has gone to another thread. */
function transferred(length: number): Float32Array {
  const data = new Float32Array(length);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

type Resizable = ArrayBuffer & { resize(bytes: number): void };

/** ES2024's buffers, which this compiler's library has not. */
const resizable = (bytes: number) =>
  Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: bytes * 2 }]) as Resizable;

function shrunk(length: number): Float32Array {
  const buffer = resizable(length * 4);
  const data = new Float32Array(buffer, 0, length);
  buffer.resize(4);
  return data;
}

/** Registers the tests that what is used wrongly is refused by name, for one engine. */
export function refusesMisuse(name: string): void {
  test(`${name}: a batch of another spec is refused`, async (t) => {
    const program = await compile(identity, name);
    const run = (batch: unknown) => () => program.run(batch as HostOf<X>);
    const messages = [
      run({ x: zeros(3, 4) }),
      run({ x: { dtype: 'int32', shape: [3, 2], data: new Int32Array(6) } }),
      run({ x: { dtype: 'float32', shape: [3, 2], data: new Float64Array(6) } }),
      run({ x: { dtype: 'float32', shape: [3, 2], data: new Float32Array(5) } }),
      run({}),
      run({ y: zeros(3, 2) }),
      run({ x: zeros(3, 2), labels: zeros(3) }),
      run({ x: 'text' }),
      run(undefined),
      run(null),
      run({ x: { dtype: 'float32', shape: [3, 2], data: [0, 0, 0, 0, 0, 0] } }),
      run({ x: { dtype: 'float32', shape: [3, 2], data: undefined } }),
      run({ x: { dtype: 'float32', shape: [3, 2], data: new DataView(new ArrayBuffer(24)) } }),
      run({ x: { dtype: 'float32', shape: [3, 2], data: transferred(6) } }),
      run({ x: { dtype: 'float32', shape: [3, 2], data: shrunk(6) } }),
      run({ x: { dtype: 'float64', shape: [3, 2], data: new Float64Array(6) } }),
      run({ x: { dtype: 'float32', shape: '3,2', data: new Float32Array(6) } }),
      run({ x: { dtype: 'float32', shape: [3, Number.NaN], data: new Float32Array(6) } }),
      run({ x: { dtype: 'float32', shape: [-3, -2], data: new Float32Array(6) } }),
      run({ x: { dtype: 'float32', shape: [0, 2], data: new Float32Array(0) } }),
      run({ x: tf.zeros([3, 2]) }),
    ].map((work) => messageOf(t, work));
    t.snapshot(await Promise.all(messages));
    t.deepEqual((await program.run({ x: zeros(3, 2) })).y.shape, [3, 2], 'and the program still works');
  });

  test(`${name}: disposed programs and states say so`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<W>({ w: zeros(2) });
    const program = await engine.compile<W, X, { y: Tensor }>({
      name: 'train',
      step: identity,
      state,
      batch: { x: { shape: [3, 2] } },
    });
    program.dispose();
    program.dispose();
    const ofProgram = await messageOf(t, () => program.run({ x: zeros(3, 2) }));
    state.dispose();
    t.snapshot([
      ofProgram,
      await messageOf(t, () => state.read()),
      await messageOf(t, () => state.write({ w: zeros(2) })),
    ]);
  });

  test(`${name}: a written state must have the tree, shapes and types of the old one`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<W>({ w: zeros(2) });
    t.snapshot([
      await messageOf(t, () => state.write({ w: zeros(3) })),
      await messageOf(t, () => state.write({} as HostOf<W>)),
      await messageOf(t, () => state.write({ w: zeros(2), v: zeros(2) } as HostOf<W>)),
    ]);
  });

  test(`${name}: a state of another engine is refused`, async (t) => {
    const engine = await openEngine({ name });
    const other = await openEngine({ name: name === 'onnx' ? 'reference' : 'onnx' });
    const state = other.state<W>({ w: zeros(2) });
    t.snapshot(
      await messageOf(t, () =>
        engine.compile<W, X, { y: Tensor }>({
          name: 'train',
          step: identity,
          state,
          batch: { x: { shape: [3, 2] } },
        }),
      ),
    );
  });
  test(`${name}: arrays of resizable and of shared memory are as good as others`, async (t) => {
    const program = await compile(identity, name);
    for (const buffer of [resizable(24), new SharedArrayBuffer(24)]) {
      const data = new Float32Array(buffer).fill(3);
      const { y } = await program.run({ x: { dtype: 'float32', shape: [3, 2], data } });
      t.deepEqual([...y.data], [3, 3, 3, 3, 3, 3]);
    }
  });

  test(`${name}: a disposed engine, and states and programs of it, say so`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<W>({ w: zeros(2) });
    const options = { name: 'train', step: identity, state, batch: { x: { shape: [3, 2] } } };
    const program = await engine.compile<W, X, { y: Tensor }>(options);
    engine.dispose();
    engine.dispose();
    t.snapshot([
      await messageOf(t, () => engine.state<W>({ w: zeros(2) })),
      await messageOf(t, () => engine.compile<W, X, { y: Tensor }>(options)),
      await messageOf(t, () => program.run({ x: zeros(3, 2) })),
      await messageOf(t, () => state.read()),
    ]);
    const other = await openEngine({ name });
    t.snapshot(await messageOf(t, () => other.compile<W, X, { y: Tensor }>(options)));
    other.dispose();
  });

  test(`${name}: bad states, specs and constants are refused by name`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<W>({ w: zeros(2) });
    const tryCompile = (batch: unknown, constants: unknown = {}) =>
      messageOf(t, () =>
        engine.compile<W, X, { y: Tensor }>({
          name: 'train',
          step: identity,
          state,
          batch: batch as { x: { shape: number[] } },
          constants: constants as Record<string, never>,
        }),
      );
    const x = { shape: [3, 2] };
    t.snapshot([
      await messageOf(t, () => engine.state<W>({ w: [1, 2] } as unknown as HostOf<W>)),
      await messageOf(t, () => engine.state<W>({ w: { ...zeros(2), shape: [3] } })),
      await messageOf(t, () => engine.state<W>({ w: { ...zeros(0) } })),
      await messageOf(t, () => engine.state<W>(null as unknown as HostOf<W>)),
      await tryCompile({ x: { shape: [3, Number.NaN] } }),
      await tryCompile({ x: { shape: [3, 1.5] } }),
      await tryCompile({ x: { shape: [0, 2] } }),
      await tryCompile({ x: { shape: [3, 2], dtype: 'complex64' } }),
      await tryCompile({ x: { shape: 6 } }),
      await tryCompile({ x: [3, 2] }),
      await tryCompile(undefined),
      await tryCompile({ x }, { c: 1 }),
      await tryCompile({ x }, { c: { ...zeros(2), data: new Float32Array(3) } }),
    ]);
    engine.dispose();
  });

  test(`${name}: an engine is not used inside a step`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<W>({ w: zeros(2) });
    const batch = { x: { shape: [3, 2] } };
    const inner = await engine.compile<W, X, { y: Tensor }>({ name: 'inner', step: identity, state, batch });
    const uses: readonly (() => unknown)[] = [
      () => inner.run({ x: zeros(3, 2) }),
      () => engine.compile<W, X, { y: Tensor }>({ name: 'nested', step: identity, state, batch }),
      () => engine.state<W>({ w: zeros(2) }),
      () => state.read(),
      () => state.write({ w: zeros(2) }),
      () => state.dispose(),
      () => inner.dispose(),
    ];
    const messages = uses.map((use) =>
      messageOf(t, async () => {
        const outer = await engine.compile<W, X, { y: Tensor }>({
          name: 'outer',
          state,
          batch,
          step: (given, { x }) => {
            // What it gives is dropped: an error that came later would end the process.
            use();
            return identity(given, { x });
          },
        });
        return outer.run({ x: zeros(3, 2) });
      }),
    );
    t.snapshot(await Promise.all(messages));
    t.deepEqual(
      (await inner.run({ x: zeros(3, 2) })).y.shape,
      [3, 2],
      'and what it tried to use still works',
    );
    engine.dispose();
  });
}

/** Registers the tests of what goes wrong while steps wait, and of what is refused when a step is compiled. */
export function refusesLateMisuse(name: string): void {
  test(`${name}: an array that is taken away before its step ran fails that step only`, async (t) => {
    const program = await compile(identity, name);
    const data = new Float32Array(6);
    const running = program.run({ x: { dtype: 'float32', shape: [3, 2], data } });
    structuredClone(data.buffer, { transfer: [data.buffer] });
    t.snapshot(await messageOf(t, () => running));
    t.deepEqual((await program.run({ x: zeros(3, 2) })).y.shape, [3, 2]);
  });

  test(`${name}: disposing while steps run fails those that have not begun, and nothing else`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<W>({ w: zeros(2) });
    const options = { step: identity, state, batch: { x: { shape: [3, 2] } } };
    const [one, two] = [
      await engine.compile<W, X, { y: Tensor }>({ name: 'one', ...options }),
      await engine.compile<W, X, { y: Tensor }>({ name: 'two', ...options }),
    ];
    const first = one.run({ x: zeros(3, 2) });
    const second = one.run({ x: zeros(3, 2) });
    const other = two.run({ x: zeros(3, 2) });
    await Promise.resolve();
    one.dispose();
    t.deepEqual((await first).y.shape, [3, 2]);
    t.snapshot(await messageOf(t, () => second));
    t.deepEqual((await other).y.shape, [3, 2]);

    const running = two.run({ x: zeros(3, 2) });
    t.snapshot([
      await messageOf(t, () => state.read()),
      await messageOf(t, () => state.write({ w: zeros(2) })),
    ]);
    t.deepEqual((await running).y.shape, [3, 2]);
    t.deepEqual([...state.read().w.data], [0, 0]);

    const late = two.run({ x: zeros(3, 2) });
    engine.dispose();
    t.snapshot(await messageOf(t, () => late));
  });

  test(`${name}: operators on empty tensors, which could end the process, are refused`, async (t) => {
    t.snapshot([
      await messageOf(t, () =>
        compile(
          (state, { x }) => ({
            state,
            out: { y: tf.topk(tf.slice(x, [0, 0], [0, 2]) as tf.Tensor2D, 1).values },
          }),
          name,
        ),
      ),
      await messageOf(t, () =>
        compile(
          (state, { x }) => ({
            state,
            out: { y: tf.mean(tf.reshape(tf.slice(x, [1, 0], [2, 0]), [0, 4])) },
          }),
          name,
        ),
      ),
    ]);
  });
}
