import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '../../../../components/engine/gradients/register.ts';
import type { HostTensor } from '../../../../components/engine/types.ts';

/** A function whose gradient is checked at some place. */
export interface GradientCase {
  readonly inputs: readonly HostTensor[];
  readonly op: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** How many of the inputs, from the first on, have a gradient; all unless said. */
  readonly variables?: number;
  /** Allowed difference, relative to 1 + |difference quotient|; 1e-7 unless said. */
  readonly tolerance?: number;
}

/** Prepares tfjs for float64 (with `float64.ts` imported first). Throws where numbers are still rounded to float32. */
export async function useFloat64(): Promise<void> {
  // Node's own test for a Float32Array asks for its class, not for the global of that name.
  const { platform } = tf.env();
  platform.isTypedArray = (array): array is Float32Array | Int32Array | Uint8Array | Uint8ClampedArray =>
    array instanceof Float64Array ||
    array instanceof Int32Array ||
    array instanceof Uint8Array ||
    array instanceof Uint8ClampedArray;
  await tf.setBackend('cpu');
  const tiny = tf.tidy(() => tf.sub(tf.add(tf.scalar(1), tf.scalar(2 ** -40)), tf.scalar(1)).dataSync()[0]);
  if (tiny !== 2 ** -40) throw new Error('tfjs computes in float32: float64.ts was imported too late');
}

const toTensor = ({ data, shape, dtype }: HostTensor) => tf.tensor(data, [...shape], dtype as tf.DataType);

/** A sum of all results with weights, so that no gradient is the same everywhere. */
function weighted(op: GradientCase['op'], inputs: readonly Tensor[]): Scalar {
  const sums = [op(...inputs)].flat().map((result) => {
    const y = tf.cast(result as Tensor, 'float32');
    const weights = Float32Array.from({ length: y.size }, (_, index) => Math.cos(index * 1.7 + 0.3));
    return tf.sum(tf.mul(y, tf.tensor(weights, y.shape)));
  });
  return tf.addN(sums) as Scalar;
}

/** What tfjs's tape and the registered gradients give. */
export function gradientsOf({ inputs, op, variables = inputs.length }: GradientCase): Float32Array[] {
  return tf.tidy(() => {
    const tensors = inputs.map(toTensor);
    const rest = tensors.slice(variables);
    const grads = tf.grads((...given: Tensor[]) => weighted(op, [...given, ...rest]))(
      tensors.slice(0, variables),
    );
    grads.forEach((grad, index) => {
      const shape = inputs[index].shape.join();
      if (grad.shape.join() !== shape)
        throw new Error(`a gradient has the shape [${grad.shape}], not [${shape}]`);
    });
    return grads.map((grad) => grad.dataSync<'float32'>());
  });
}

const step = 1e-5;

/** Central differences: their error is about the step's square, and 1e-11 by rounding. */
export function differencesOf({ inputs, op, variables = inputs.length }: GradientCase): Float32Array[] {
  const value = (changed: number, index: number, by: number) =>
    tf.tidy(() => {
      const tensors = inputs.map((input, each) => {
        const data = input.data.slice();
        if (each === changed) data[index] += by;
        return toTensor({ ...input, data });
      });
      return weighted(op, tensors).dataSync()[0];
    });
  return inputs.slice(0, variables).map(({ data }, each) =>
    Float32Array.from({ length: data.length }, (_, index) => {
      return (value(each, index, step) - value(each, index, -step)) / (2 * step);
    }),
  );
}

/** The largest difference, relative to 1 + |expected|; NaN if there is one. */
export function furthest(actual: readonly Float32Array[], expected: readonly Float32Array[]): number {
  return actual.reduce(
    (most, list, each) =>
      list.reduce((worst, value, index) => {
        const want = expected[each][index];
        const distance = Math.abs(value - want) / (1 + Math.abs(want));
        return worst >= distance ? worst : distance;
      }, most),
    0,
  );
}
