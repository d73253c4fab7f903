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

export type Axis = number | number[] | undefined;

/** Axes of a reduction, counted from the start; all axes if none is given. */
export function axesOf(axis: Axis, x: Tensor): number[] {
  return tf.util.parseAxisParam(axis ?? x.shape.map((_, each) => each), x.shape);
}

/** A reduced tensor with its reduced axes back, of length 1. */
export function withAxes(reduced: Tensor, x: Tensor, axis: Axis): Tensor {
  return tf.reshape(reduced, tf.backend_util.expandShapeToKeepDim(keptOf(x, axis), axesOf(axis, x)));
}

/** Lengths of the axes that a reduction leaves. */
export function keptOf(x: Tensor, axis: Axis): number[] {
  const axes = axesOf(axis, x);
  return x.shape.filter((_, each) => !axes.includes(each));
}

export function run(kernel: string, inputs: NamedTensorMap, attributes: object = {}): Tensor {
  return tf.engine().runKernel(kernel, inputs, attributes as NamedAttrMap);
}
