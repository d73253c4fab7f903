import { pathToFileURL } from 'node:url';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { build } from 'esbuild';
import { openEngine } from '../../../components/engine/open.ts';
import { createProject } from '../../support/project.ts';
import type { SmallStep, W, X } from './support/small.ts';
import { compile, compileAndRun, identity, messageOf, zeros } from './support/small.ts';

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
  t.snapshot(
    await messageOf(t, () => compile((state, { x }) => ({ state, out: { y: tf.unique(x).values } }))),
  );
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

const badSteps: readonly SmallStep[] = [
  (state, { x }) => ({ state: { w: tf.sum(state.w) }, out: { y: x } }),
  (state, { x }) => ({ state: { w: tf.cast(state.w, 'int32') }, out: { y: x } }),
  (_, { x }) => ({ state: {} as W, out: { y: x } }),
  (state, { x }) => ({ state: { ...state, v: x } as W, out: { y: x } }),
  (state) => ({ state }) as never,
  (state) => ({ state, out: { y: 3 } }) as never,
  (state) => ({ state, out: null }) as never,
  () => undefined as never,
  (async (state: W) => ({ state, out: { y: state.w } })) as never,
  (async () => {
    throw new Error('this is never shown');
  }) as never,
  (state, { x }) => ({ state: { w: tf.reshape(state.w, [-1, 2]) }, out: { y: x } }),
];

const source = `type Tf = typeof import('@tensorflow/tfjs-core');
/** Three lines of type and comment
 *  that the bundle has not. */
export const makeStep = (tf: Tf) => (state: { w: unknown }, { x }: { x: import('@tensorflow/tfjs-core').Tensor }) => {
  const [first] = x.dataSync();
  return { state, out: { y: first > 0 ? x : tf.reshape(x, [7]) } };
};
`;

test('in bundled code, too, the place is that of the source', async (t) => {
  const project = createProject(t, { 'model/step.ts': source });
  const bundle = project.file('node_modules/.cache/bundle.mjs');
  await build({ entryPoints: [project.file('model/step.ts')], outfile: bundle, sourcemap: 'external' });
  const { makeStep } = (await import(pathToFileURL(bundle).href)) as {
    readonly makeStep: (tfjs: typeof tf) => SmallStep;
  };
  for (const name of ['onnx', 'reference'] as const) {
    const { message } = await t.throwsAsync(compileAndRun(makeStep(tf), name));
    const expected = name === 'onnx' ? 'model/step.ts:5' : 'model/step.ts:6';
    t.true(message.endsWith(`(at ${expected})`), message);
  }
});

test('a step must return the state that it got, and tensors, whatever engine calls it', async (t) => {
  const messages = (name: string) =>
    Promise.all(badSteps.map((step) => messageOf(t, () => compileAndRun(step, name))));
  const compiled = await messages('onnx');
  t.snapshot(compiled);
  const eager = (await messages('reference')).map((message) =>
    message.replace('failed', "can't be compiled"),
  );
  const withoutPlace = (message: string) => message.replace(/ \(at .*/, '');
  t.deepEqual(eager.map(withoutPlace), compiled.map(withoutPlace));
});

test('eager: an error of a step names program and place, and leaves the state as it was', async (t) => {
  for (const name of ['reference', 'wasm']) {
    const engine = await openEngine({ name });
    const state = engine.state<W>({ w: { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } });
    const run = async (step: SmallStep) => {
      const program = await engine.compile<W, X, { y: Tensor }>({
        name: 'train',
        step,
        state,
        batch: { x: { shape: [3, 2] } },
      });
      return program.run({ x: zeros(3, 2) });
    };
    t.snapshot([
      await messageOf(t, () =>
        run((given, { x }) => ({ state: given, out: { y: tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D) } })),
      ),
      await messageOf(t, () =>
        run(() => {
          throw new TypeError('my own mistake');
        }),
      ),
      await messageOf(t, () => run((given, { x }) => ({ state: given, out: { y: tf.complex(x, x) } }))),
    ]);
    const { y } = await run((given, { x }) => {
      const result = tf.add(given.w, x);
      given.w.dispose();
      x.dispose();
      return { state: { w: tf.tensor1d([3, 4]) }, out: { y: result } };
    });
    t.deepEqual([...y.data], [1, 2, 1, 2, 1, 2], 'a step may dispose of what it gets');
    t.deepEqual([...state.read().w.data], [3, 4]);
    engine.dispose();
  }
});

test('a kernel that wasm lacks is named', async (t) => {
  const step: SmallStep = (state, { x }) => {
    const image = tf.reshape(x, [1, 3, 2, 1]) as tf.Tensor4D;
    const [y] = tf.grads(
      (filter: Tensor) => tf.sum(tf.conv2d(image, filter as tf.Tensor4D, 1, 'same')) as tf.Scalar,
    )([tf.ones([1, 1, 1, 1])]);
    return { state, out: { y: y! } };
  };
  t.snapshot(await messageOf(t, () => compileAndRun(step, 'wasm')));
  t.deepEqual([...(await compileAndRun(step, 'reference')).y.data], [0]);
});

test('unknown engines and thread counts are refused', async (t) => {
  t.snapshot([
    await messageOf(t, () => openEngine({ name: 'cuda' })),
    await messageOf(t, () => openEngine({ threads: 0 })),
    await messageOf(t, () => openEngine({ threads: 1.5 })),
  ]);
});

test('after a failed compilation the next one works', async (t) => {
  await messageOf(t, () => compile((state, { x }) => ({ state, out: { y: tf.unique(x).values } })));
  const program = await compile(identity);
  t.deepEqual((await program.run({ x: zeros(3, 2) })).y.shape, [3, 2]);
});
