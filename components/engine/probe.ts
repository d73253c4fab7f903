import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine, HostTensor } from './types.ts';

type Weights = { readonly up: Tensor; readonly bias: Tensor; readonly down: Tensor };

/** What a small training gave, to compare engines by. */
export interface Probe {
  /** Before each step. */
  readonly losses: readonly number[];
  /** After the last step. */
  readonly weights: readonly number[];
}

export const probeSteps = 5;

/** Numbers that need no generator; the sine of large numbers spreads them. */
const numbers = (shape: readonly number[], seed: number): HostTensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin((i + 1) * seed)),
});

/**
 * Trains a classifier of two layers for five steps of gradient descent: products, broadcasting, a non-linearity,
 * softmax cross-entropy, and the gradients of all of them. Throws what the engine throws.
 */
export async function trainProbe(engine: Engine): Promise<Probe> {
  const state = engine.state<Weights>({
    up: numbers([6, 16], 1.3),
    bias: numbers([16], 0.7),
    down: numbers([16, 4], 2.1),
  });
  const program = await engine.compile<Weights, { x: Tensor; labels: Tensor }, { loss: Tensor }>({
    name: 'probe',
    state,
    batch: { x: { shape: [8, 6] }, labels: { shape: [8], dtype: 'int32' } },
    step: ({ up, bias, down }, { x, labels }) => {
      const { value, grads } = tf.valueAndGrads((...[u, b, d]: Tensor[]) => {
        const hidden = tf.tanh(tf.add(tf.matMul(x as Tensor2D, u as Tensor2D), b));
        const logits = tf.matMul(hidden as Tensor2D, d as Tensor2D);
        const right = tf.oneHot(labels as tf.Tensor1D, 4);
        return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), right), -1))) as Scalar;
      })([up, bias, down]);
      const [u, b, d] = [up, bias, down].map((weight, index) => tf.sub(weight, tf.mul(grads[index], 0.5)));
      return { state: { up: u, bias: b, down: d }, out: { loss: value } };
    },
  });
  const batch = {
    x: numbers([8, 6], 3.7),
    labels: { dtype: 'int32', shape: [8], data: Int32Array.from({ length: 8 }, (_, i) => i % 4) },
  } as const;
  const losses: number[] = [];
  for (let step = 0; step < probeSteps; step++) losses.push((await program.run(batch)).loss.data[0]);
  const weights = Object.values(state.read()).flatMap(({ data }) => [...data]);
  program.dispose();
  state.dispose();
  return { losses, weights };
}

/** The largest difference between two probes, relative to numbers above 1; NaN if one has NaN. */
export function probeDifference(a: Probe, b: Probe): number {
  const expected = [...b.losses, ...b.weights];
  return [...a.losses, ...a.weights].reduce((most, value, index) => {
    const difference = Math.abs(value - expected[index]) / Math.max(1, Math.abs(expected[index]));
    // Math.max would keep NaN too; said aloud because a diverged engine must not pass.
    return Number.isNaN(difference) ? Number.NaN : Math.max(most, difference);
  }, 0);
}

/** float32 of five steps rounds to about 1e-6; TensorFloat-32 of recent GPUs to 1e-3. */
const tolerance = 5e-3;

export function agrees(probe: Probe, reference: Probe): boolean {
  return probeDifference(probe, reference) <= tolerance;
}
