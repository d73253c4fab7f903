import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import test from 'ava';
import { openEngine } from '../../../../components/engine/open.ts';
import type { Engine, HostOf, Step } from '../../../../components/engine/types.ts';
import { EngineError } from '../../../../components/engine/types.ts';
import { type Counter, initial, vector } from './counter.ts';

const batch = { x: { shape: [2] } };

type Use = { readonly run: (batch: HostOf<{ x: Tensor }>) => Promise<unknown>; readonly fails?: boolean };

/** Programs that train and evaluate (and ask tfjs to keep a tensor), and a batch that is refused. */
async function uses(engine: Engine): Promise<{ readonly [name: string]: Use }> {
  const state = engine.state<Counter>(initial());
  const loss = (total: Tensor, x: Tensor) => tf.sum(tf.mul(tf.square(total), x)) as tf.Scalar;
  const compile = (name: string, step: Step<Counter, { x: Tensor }, { loss: Tensor }, { c: Tensor }>) =>
    engine.compile<Counter, { x: Tensor }, { loss: Tensor }, { c: Tensor }>({
      name,
      step,
      state,
      batch,
      constants: { c: vector(1, 2) },
    });
  const evaluate = await compile('evaluate', (counter, { x }) => ({
    state: counter,
    out: { loss: loss(counter.total, tf.keep(tf.mul(x, 2))) },
  }));
  return {
    train: await compile('train', (counter, { x }, { c }) => {
      const { value, grads } = tf.valueAndGrads((total: Tensor) => loss(total, tf.add(x, c)))([
        counter.total,
      ]);
      return { state: { ...counter, total: tf.sub(counter.total, grads[0]) }, out: { loss: value } };
    }),
    evaluate,
    refused: { run: ({ x }) => evaluate.run({ x: { ...x, shape: [1, 2] } }), fails: true },
  };
}

/** Registers the tests that steps leave no tensor behind, for one engine. */
export function leavesNothing(name: string): void {
  test.serial(
    `${name}: as many tensors after any number of steps, of training and of evaluation`,
    async (t) => {
      const engine = await openEngine({ name });
      const programs = await uses(engine);
      const { numTensors, numDataBuffers } = tf.memory();
      for (let step = 0; step < 4; step++) {
        for (const use of Object.values(programs)) {
          const done = use.run({ x: vector(0.1, 0.2) });
          await (use.fails ? t.throwsAsync(done, { instanceOf: EngineError }) : done);
        }
        t.is(tf.memory().numTensors, numTensors);
        t.is(tf.memory().numDataBuffers, numDataBuffers);
      }
      engine.dispose();
    },
  );

  test.serial(`${name}: a step that throws leaves no tensor behind, wherever it throws`, async (t) => {
    const before = tf.memory();
    const engine = await openEngine({ name });
    const state = engine.state<Counter>(initial());
    const withState = tf.memory();
    const boom = (): never => {
      throw new Error('boom');
    };
    const throwing: readonly ((counter: Counter, x: Tensor) => Tensor)[] = [
      (_, x) => tf.matMul(tf.reshape(x, [1, 2]) as Tensor2D, tf.reshape(x, [1, 2]) as Tensor2D),
      (counter, x) => [tf.keep(tf.mul(x, 2)), tf.add(counter.total, x), boom()][0]!,
      (counter) => tf.grads((total: Tensor) => [tf.keep(tf.square(total)), boom()][0]!)([counter.total])[0]!,
      (_, x) => tf.tidy(() => [tf.neg(x), boom()][0]!),
      (counter) => {
        counter.total.dispose();
        return tf.neg(counter.total);
      },
    ];
    for (const compute of throwing) {
      const attempt = async () => {
        const program = await engine.compile<Counter, { x: Tensor }, { y: Tensor }>({
          name: 'throws',
          state,
          batch,
          step: (counter, { x }) => ({ state: counter, out: { y: compute(counter, x) } }),
        });
        return program.run({ x: vector(1, 2) });
      };
      await t.throwsAsync(attempt(), { instanceOf: EngineError });
      t.is(tf.memory().numTensors, withState.numTensors);
      t.is(tf.memory().numDataBuffers, withState.numDataBuffers);
    }
    t.deepEqual(state.read(), initial(), 'and the state as it was');
    engine.dispose();
    t.is(tf.memory().numTensors, before.numTensors, 'a disposed engine leaves none');
    t.is(tf.memory().numDataBuffers, before.numDataBuffers);
  });

  test.serial(`${name}: what is not the step's stays the caller's`, async (t) => {
    const engine = await openEngine({ name });
    const own = tf.keep(tf.tensor1d([5, 6]));
    const program = await engine.compile<object, { x: Tensor }, { y: Tensor }>({
      name: 'uses a tensor from outside',
      state: engine.state<object>({}),
      batch,
      step: (state, { x }) => ({ state, out: { y: tf.add(x, tf.keep(own)) } }),
    });
    t.deepEqual([...(await program.run({ x: vector(1, 2) })).y.data], [6, 8]);
    t.deepEqual([...own.dataSync()], [5, 6]);
    own.dispose();
    engine.dispose();
  });
}
