import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import test from 'ava';
import { openEngine } from '../../../components/engine/open.ts';
import { type Counter, initial, vector } from './support/counter.ts';
import { leavesNothing } from './support/leaks.ts';

const batch = { x: { shape: [2] } };

// One after the other: tfjs counts the tensors of the whole process.

test.serial('compiling and running leaves no tensors behind and restores the active backend', async (t) => {
  await tf.setBackend('cpu');
  const own = tf.tensor1d([1, 2]);
  const before = tf.memory().numTensors;
  const engine = await openEngine({ name: 'onnx' });
  const state = engine.state<Counter>(initial());
  const program = await engine.compile<Counter, { x: Tensor }, { loss: Tensor }>({
    name: 'train',
    state,
    batch,
    step: (counter, { x }) => {
      // `own` was made outside, on another backend: it becomes a constant and stays usable.
      const { value, grads } = tf.valueAndGrads(
        (total: Tensor) => tf.sum(tf.mul(tf.square(total), tf.add(x, own))) as tf.Scalar,
      )([counter.total]);
      return { state: { ...counter, total: tf.sub(counter.total, grads[0]) }, out: { loss: value } };
    },
  });
  t.is(tf.memory().numTensors, before);
  t.is(tf.getBackend(), 'cpu');
  await program.run({ x: vector(1, 1) });
  t.is(tf.memory().numTensors, before);
  t.deepEqual([...own.dataSync()], [1, 2]);
});

for (const name of ['onnx', 'reference', 'wasm']) leavesNothing(name);
