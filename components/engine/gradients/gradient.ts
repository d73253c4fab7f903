import type { GradConfig, NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

type Thunks = { readonly [input: string]: () => Tensor };

/** What a gradient may look at: kernel inputs and outputs in the order they were asked for, and attributes. */
interface Saved {
  readonly inputs?: readonly string[];
  readonly output?: boolean;
}

/**
 * The gradient of one kernel. `saved` says which inputs (by name) and whether the output is kept for it;
 * `compute` gets dy, these tensors, and the kernel's attributes.
 */
export function gradient<A = NamedAttrMap>(
  kernelName: string,
  { inputs = [], output = false }: Saved,
  compute: (dy: Tensor, saved: readonly Tensor[], attributes: A) => Thunks,
): GradConfig {
  return {
    kernelName,
    inputsToSave: [...inputs],
    outputsToSave: [output],
    gradFunc: (dy, saved, attributes) => compute(dy as Tensor, saved, attributes as A),
  };
}

/** Sums dy over the axes along which an operand of this shape was repeated. */
export function unbroadcast(dy: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, dy.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(dy, axes) : dy, shape);
}

export function run(kernel: string, inputs: NamedTensorMap, attributes: object = {}): Tensor {
  return tf.engine().runKernel(kernel, inputs, attributes as NamedAttrMap);
}
