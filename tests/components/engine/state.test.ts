import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { openEngine } from '../../../components/engine/open.ts';
import type { Engine, HostOf, HostTensor } from '../../../components/engine/types.ts';

type Counter = {
  readonly total: Tensor;
  readonly scale: Tensor;
  readonly nested: { readonly flags: Tensor };
};

const vector = (...values: number[]): HostTensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

const initial = (): HostOf<Counter> => ({
  total: vector(0, 0),
  scale: vector(2, 3),
  nested: { flags: { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) } },
});

const addStep = (state: Counter, { x }: { x: Tensor }) => ({
  state: {
    ...state,
    total: tf.add(state.total, tf.mul(x, state.scale)),
    nested: { flags: tf.logicalNot(state.nested.flags) },
  },
  out: { before: state.total },
});

const batch = { x: { shape: [2] } };

function add(engine: Engine, state: ReturnType<Engine['state']>) {
  return engine.compile<Counter, { x: Tensor }, { before: Tensor }>({
    name: 'add',
    state: state as never,
    batch,
    step: addStep,
  });
}

for (const name of ['onnx', 'reference']) {
  test(`${name}: state stays inside between steps and can be read and written`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<Counter>(initial());
    const program = await add(engine, state);
    const first = await program.run({ x: vector(1, 1) });
    const second = await program.run({ x: vector(10, 10) });
    t.deepEqual([...first.before.data], [0, 0]);
    t.deepEqual([...second.before.data], [2, 3]);
    const saved = state.read();
    t.deepEqual([...saved.total.data], [22, 33]);
    t.deepEqual([...saved.nested.flags.data], [1, 0]);
    await program.run({ x: vector(1, 1) });
    t.deepEqual([...saved.total.data], [22, 33], 'what was read does not change afterwards');
    state.write(saved);
    t.deepEqual(state.read(), saved);
    t.deepEqual([...(await program.run({ x: vector(0, 0) })).before.data], [22, 33]);
    engine.dispose();
  });

  test(`${name}: two programs share one state`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<Counter>(initial());
    const train = await add(engine, state);
    const evaluate = await engine.compile<Counter, object, { doubled: Tensor }>({
      name: 'evaluate',
      state,
      batch: {},
      step: (counter) => ({ state: counter, out: { doubled: tf.mul(counter.total, 2) } }),
    });
    t.deepEqual([...(await evaluate.run({})).doubled.data], [0, 0]);
    for (const expected of [
      [4, 6],
      [8, 12],
      [12, 18],
    ]) {
      await train.run({ x: vector(1, 1) });
      t.deepEqual([...(await evaluate.run({})).doubled.data], expected);
    }
    engine.dispose();
  });

  test(`${name}: steps that are not awaited take turns`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<Counter>(initial());
    const program = await add(engine, state);
    await Promise.all([1, 2, 3, 4].map(() => program.run({ x: vector(1, 1) })));
    t.deepEqual([...state.read().total.data], [8, 12]);
    engine.dispose();
  });

  test(`${name}: the same tensor may be put out twice, as it came in, or as a constant`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<{ a: Tensor; b: Tensor }>({ a: vector(1, 2), b: vector(3, 4) });
    const program = await engine.compile<
      { a: Tensor; b: Tensor },
      { x: Tensor },
      { x: Tensor; again: Tensor; constant: Tensor; a: Tensor }
    >({
      name: 'swap',
      state,
      batch,
      step: ({ a, b }, { x }) => ({
        state: { a: b, b: a },
        out: { x, again: x, constant: tf.tensor1d([5, 6]), a },
      }),
    });
    const out = await program.run({ x: vector(7, 8) });
    t.deepEqual(
      [out.x, out.again, out.constant, out.a].map(({ data }) => [...data]),
      [
        [7, 8],
        [7, 8],
        [5, 6],
        [1, 2],
      ],
    );
    const { a, b } = state.read();
    t.deepEqual(
      [[...a.data], [...b.data]],
      [
        [3, 4],
        [1, 2],
      ],
    );
    engine.dispose();
  });
}
