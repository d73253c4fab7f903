import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine, HostTensor } from '../../types.ts';
import { uniformRows } from '../../uniform.ts';

type Weights = { readonly filter: Tensor; readonly codes: Tensor };
type Batch = { readonly image: Tensor; readonly rows: Tensor; readonly seed: Tensor };

/** Runs one step of what networks here are made of, gradients included: convolution, pooling, attention, codebook, random numbers. */
export async function runAllSorts(engine: Engine): Promise<void> {
  const state = engine.state<Weights>({ filter: values([3, 3, 3, 8]), codes: values([16, 8]) });
  const program = await engine.compile<Weights, Batch, { loss: Tensor; drawn: Tensor }>({
    name: 'all sorts',
    state,
    batch: {
      image: { shape: [2, 8, 8, 3], dtype: 'uint8' },
      rows: { shape: [4], dtype: 'int32' },
      seed: { shape: [3], dtype: 'int32' },
    },
    step: ({ filter, codes }, batch) => {
      const { value, grads } = tf.valueAndGrads((f: Tensor, c: Tensor) => loss(f, c, batch))([filter, codes]);
      return {
        state: { filter: tf.sub(filter, grads[0]!), codes: tf.sub(codes, grads[1]!) },
        out: { loss: value, drawn: uniformRows(batch.seed, 2, 4) },
      };
    },
  });
  await program.run({
    image: { dtype: 'uint8', shape: [2, 8, 8, 3], data: new Uint8Array(384).fill(7) },
    rows: { dtype: 'int32', shape: [4], data: Int32Array.of(0, 1, 2, 3) },
    seed: { dtype: 'int32', shape: [3], data: Int32Array.of(1, 2, 3) },
  });
  program.dispose();
  state.dispose();
}

function loss(filter: Tensor, codes: Tensor, { image, rows }: Batch): Scalar {
  const seen = tf.conv2d(tf.cast(image, 'float32') as Tensor4D, filter as Tensor4D, 1, 'same');
  const tokens = tf.reshape(tf.maxPool(tf.relu(seen), 3, 2, 'same'), [2, 16, 8]);
  const attention = tf.softmax(tf.matMul(tokens, tokens, false, true));
  const mixed = tf.gather(tf.reshape(tf.matMul(attention, tokens), [32, 8]), rows as Tensor1D);
  const logits = tf.matMul(mixed as Tensor2D, codes as Tensor2D, false, true);
  const nearest = tf.gather(codes, tf.argMax(logits, 1));
  return tf.add(tf.mean(tf.abs(tf.sub(mixed, nearest))), tf.mean(tf.logSoftmax(logits)));
}

const values = (shape: readonly number[]): HostTensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => Math.sin(index + 1)),
});
