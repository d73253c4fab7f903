import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../../components/engine/types.ts';
import {
  adamw,
  initMoments,
  type Moments,
  type StepScalars,
} from '../../../components/training/optimizer.ts';
import { stepScalars } from '../../../components/training/schedule.ts';
import { uniform } from '../../components/engine/support/arbitrary.ts';

type Weights = { readonly w: Tensor };
interface State {
  readonly parameters: Weights;
  readonly moments: Moments<Weights>;
}

/**
 * A layer with GELU, [width, width], learns by AdamW: wide enough for XLA to be given what works element by element, and, at
 * 1536, for threads to share the sum of its squares.
 */
export function wideTraining(width: number) {
  const matrix = (rows: number, seed: number): HostTensor => ({
    dtype: 'float32',
    shape: [rows, width],
    data: Float32Array.from({ length: rows * width }, (_, index) => uniform(seed, index) - 0.5),
  });
  const parameters = { w: matrix(width, 1) };
  const layer = (x: Tensor, w: Tensor) => {
    const y = tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D);
    return tf.mul(y, tf.add(tf.erf(tf.mul(y, Math.SQRT1_2)), 1));
  };
  return {
    name: `a layer of ${width}`,
    steps: 3,
    state: { parameters, moments: initMoments(parameters) },
    constants: {},
    batch: (step: number) => ({ x: matrix(8, 2 + step), stepScalars: stepScalars(step, 1e-4) }),
    step: (
      { parameters: given, moments }: State,
      { x, stepScalars: scalars }: { readonly x: Tensor; readonly stepScalars: StepScalars<Tensor> },
    ) => {
      const { value, grads } = tf.valueAndGrads((w: Tensor) => tf.mean(tf.square(layer(x, w))) as tf.Scalar)([
        given.w,
      ]);
      const next = adamw<Weights>(given, { w: grads[0]! }, moments, scalars, {
        weightDecay: 0.05,
        clipNorm: 1,
      });
      const { gradientNorm, ...state } = next;
      return { state, out: { loss: value, gradientNorm } };
    },
  };
}
