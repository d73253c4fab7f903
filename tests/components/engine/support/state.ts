import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { openEngine } from '../../../../components/engine/open.ts';
import type { Engine, HostTensor } from '../../../../components/engine/types.ts';
import { type Counter, initial, vector } from './counter.ts';

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

/** Registers the tests of a state and its programs, for one engine. */
export function keepsState(name: string): void {
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

  test(`${name}: a state keeps the order of its names, in whatever order they are written and returned`, async (t) => {
    const engine = await openEngine({ name });
    type Two = { readonly b: Tensor; readonly a: Tensor };
    const state = engine.state<Two>({ b: vector(1), a: vector(2) });
    const seen: string[][] = [];
    const program = await engine.compile<Two, object, object>({
      name: 'turn round',
      state,
      batch: {},
      step: (two) => {
        seen.push(Object.keys(two));
        return { state: { a: tf.add(two.a, 10), b: tf.add(two.b, 10) }, out: {} };
      },
    });
    await program.run({});
    // As a checkpoint is read: by name.
    state.write({ a: vector(4), b: vector(3) });
    await program.run({});
    const { a, b } = state.read();
    t.deepEqual([a.data[0], b.data[0]], [14, 13]);
    t.deepEqual(Object.keys(state.read()), ['b', 'a']);
    t.true(
      seen.every((names) => names.join() === 'b,a'),
      seen.join(' '),
    );
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

  test(`${name}: a checkpoint taken between steps brings back the rest of the training, byte for byte`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<Counter>(initial());
    const train = await add(engine, state);
    const evaluate = await engine.compile<Counter, object, { sum: Tensor }>({
      name: 'evaluate',
      state,
      batch: {},
      step: (counter) => ({ state: counter, out: { sum: tf.sum(counter.total) } }),
    });
    const batches = [0.1, 0.7, -0.3, 1.9].map((value) => ({ x: vector(value, value * 3) }));
    for (const each of batches.slice(0, 2)) await train.run(each);
    const checkpoint = state.read();
    for (const each of batches.slice(2)) await train.run(each);
    const [end, sum] = [state.read(), (await evaluate.run({})).sum.data[0]];

    state.write(checkpoint);
    t.deepEqual(state.read(), checkpoint);
    checkpoint.total.data.fill(99);
    for (const each of batches.slice(2)) await train.run(each);
    t.deepEqual(state.read(), end, 'what was written is a copy');
    t.is((await evaluate.run({})).sum.data[0], sum);

    const resumed = await openEngine({ name });
    const other = resumed.state<Counter>(end);
    const program = await add(resumed, other);
    t.deepEqual((await program.run(batches[0]!)).before.data, end.total.data);
    for (const each of [engine, resumed]) each.dispose();
  });

  test(`${name}: training and inference are programs of one function and one state`, async (t) => {
    type Model = { readonly w: Tensor; readonly steps: Tensor };
    const engine = await openEngine({ name });
    const one: HostTensor = { dtype: 'float32', shape: [], data: Float32Array.of(1) };
    const state = engine.state<Model>({ w: one, steps: { ...one, data: Float32Array.of(0) } });
    const model = (w: Tensor, x: Tensor) => tf.mul(w, x);
    const train = await engine.compile<Model, { x: Tensor; y: Tensor }, { loss: Tensor }>({
      name: 'train',
      state,
      batch: { x: { shape: [2] }, y: { shape: [2] } },
      step: ({ w, steps }, { x, y }) => {
        const { value, grads } = tf.valueAndGrads(
          (given: Tensor) => tf.sum(tf.squaredDifference(model(given, x), y)) as tf.Scalar,
        )([w]);
        const next = tf.sub(w, tf.mul(grads[0]!, 0.125));
        return { state: { w: next, steps: tf.add(steps, 1) }, out: { loss: value } };
      },
    });
    const infer = await engine.compile<Model, { x: Tensor }, { y: Tensor }>({
      name: 'infer',
      state,
      batch: { x: { shape: [3] } },
      step: (given, { x }) => ({ state: given, out: { y: model(given.w, x) } }),
    });
    t.deepEqual([...(await infer.run({ x: vector(1, 2, 3) })).y.data], [1, 2, 3]);
    // Errors of w = 1 on y = 3 x: -2 and -2; the gradient is 2 * (-2) * 2 = -8, so w becomes 2.
    const { loss } = await train.run({ x: vector(1, 1), y: vector(3, 3) });
    t.is(loss.data[0], 8);
    t.deepEqual([...(await infer.run({ x: vector(1, 2, 3) })).y.data], [2, 4, 6]);
    t.is(state.read().steps.data[0], 1, 'inference is no step');
    engine.dispose();
  });
}
