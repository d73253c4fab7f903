import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostOf, HostTensor, Step } from '../../../components/engine/types.ts';
import { EngineError } from '../../../components/engine/types.ts';

type W = { readonly w: Tensor };
type X = { readonly x: Tensor };

const zeros = (...shape: number[]): HostTensor => ({
  dtype: 'float32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

/** The message of the EngineError that `work` throws; line numbers would change with every edit. */
async function messageOf(t: ExecutionContext, work: () => unknown): Promise<string> {
  const error = await t.throwsAsync(async () => work(), { instanceOf: EngineError });
  return error.message.replace(/:\d+\)$/, ':LINE)');
}

function compile(step: Step<W, X, { y: Tensor }, Record<string, never>>, engineName = 'onnx') {
  return openEngine({ name: engineName }).then((engine) =>
    engine.compile<W, X, { y: Tensor }>({
      name: 'train',
      step,
      state: engine.state<W>({ w: zeros(2) }),
      batch: { x: { shape: [3, 2] } },
    }),
  );
}

const identity = (state: W, { x }: X) => ({ state, out: { y: tf.add(x, state.w) } });

for (const name of ['onnx', 'reference']) {
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
}

test('a function that reads values is refused with the op and the place', async (t) => {
  t.snapshot(
    await messageOf(t, () =>
      compile((state, { x }) => {
        const y = tf.add(x, state.w);
        return { state, out: { y: y.dataSync()[0] > 0 ? y : x } };
      }),
    ),
  );
  t.snapshot(
    await messageOf(t, () =>
      compile((state, { x }) => ({ state, out: { y: tf.mul(x, x.arraySync() as number[][]) } })),
    ),
  );
});

test('an op that cannot be compiled is named, with an alternative', async (t) => {
  t.snapshot(await messageOf(t, () => compile((state, { x }) => ({ state, out: { y: tf.cumprod(x) } }))));
  t.snapshot(
    await messageOf(t, () => compile((state, { x }) => ({ state, out: { y: tf.erf(tf.spectral.rfft(x)) } }))),
  );
});

test('random numbers cannot be drawn while compiling', async (t) => {
  t.snapshot(
    await messageOf(t, () =>
      compile((state, { x }) => ({ state, out: { y: tf.add(x, tf.randomNormal([2])) } })),
    ),
  );
  t.true(Math.random() < 1, 'afterwards they can');
});

test('shapes that do not fit are refused where they meet', async (t) => {
  const wrong: readonly ((x: Tensor, w: Tensor) => Tensor)[] = [
    (x) => tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D),
    (x) => tf.add(x, tf.zeros([4])),
    (x) => tf.reshape(x, [5]),
    (x, w) => tf.concat([x, tf.reshape(w, [1, 2])], 1),
    (x) => tf.slice(x, [2, 0], [2, 2]),
    (x) => tf.transpose(x, [0, 2]),
    (x) => tf.gather(x, tf.tensor1d([0], 'int32'), 5),
    (x) => tf.where(tf.greater(x, 0), x, tf.zeros([7])),
    (x) => tf.sum(x, 3),
    (x) => tf.einsum('ij,jk->ik', x, x),
  ];
  const messages = wrong.map((op) =>
    messageOf(t, () => compile((state, { x }) => ({ state, out: { y: op(x, state.w) } }))),
  );
  t.snapshot(await Promise.all(messages));
});

test('mistakes inside the function keep their message and name program and place', async (t) => {
  t.snapshot(
    await messageOf(t, () =>
      compile((state, { x }) => ({ state, out: { y: tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D) } })),
    ),
  );
  t.snapshot(
    await messageOf(t, () =>
      compile(() => {
        throw new TypeError('my own mistake');
      }),
    ),
  );
});

test('a step must return the state that it got', async (t) => {
  t.snapshot([
    await messageOf(t, () => compile((state, { x }) => ({ state: { w: tf.sum(state.w) }, out: { y: x } }))),
    await messageOf(t, () =>
      compile((state, { x }) => ({ state: { w: tf.cast(state.w, 'int32') }, out: { y: x } })),
    ),
    await messageOf(t, () => compile((_, { x }) => ({ state: {} as W, out: { y: x } }))),
    await messageOf(t, () => compile((state, { x }) => ({ state: { ...state, v: x } as W, out: { y: x } }))),
    await messageOf(t, () => compile((state) => ({ state }) as never)),
    await messageOf(t, () => compile((state) => ({ state, out: { y: 3 } }) as never)),
  ]);
});

test('unknown engines and thread counts are refused', async (t) => {
  t.snapshot([
    await messageOf(t, () => openEngine({ name: 'cuda' })),
    await messageOf(t, () => openEngine({ threads: 0 })),
    await messageOf(t, () => openEngine({ threads: 1.5 })),
  ]);
});

test('after a failed compilation the next one works', async (t) => {
  await messageOf(t, () => compile((state, { x }) => ({ state, out: { y: tf.cumprod(x) } })));
  const program = await compile(identity);
  t.deepEqual((await program.run({ x: zeros(3, 2) })).y.shape, [3, 2]);
});
