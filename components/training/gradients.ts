import * as tf from '@tensorflow/tfjs-core';
import type { Tree } from '../engine/types.ts';
import { leaves, refill, type TreeOf } from '../nn/tree.ts';

/**
 * Loss, its gradient for every leaf of `parameters`, and whatever else `compute` puts into `aux`
 * (codes, accuracies, new statistics): those carry no gradient.
 */
export function valueAndGradients<P, A extends { readonly [name: string]: tf.Tensor }>(
  parameters: P,
  compute: (parameters: P) => { loss: tf.Scalar; aux: A },
): { loss: tf.Scalar; gradients: P; aux: A } {
  const form = parameters as unknown as Tree;
  const flat = leaves<tf.Tensor>(form as TreeOf<tf.Tensor>).map(({ leaf }) => leaf);
  let kept: A | undefined;
  // tfjs disposes whatever the function doesn't return, so `aux` is kept and handed over by cloning.
  const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
    const { loss, aux } = compute(refill(form, values) as P);
    kept = aux;
    for (const tensor of Object.values(aux)) tf.keep(tensor);
    return loss;
  })(flat);
  const aux = Object.fromEntries(
    Object.entries(kept as A).map(([name, tensor]) => {
      const copy = tf.clone(tensor);
      tensor.dispose();
      return [name, copy];
    }),
  ) as A;
  return { loss: value as tf.Scalar, gradients: refill(form, grads) as P, aux };
}

/** The value without its gradient: `sg[x]` in the VQ-VAE paper. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  const { shape } = x;
  // `x` itself may be gone when the gradient is taken.
  return tf.customGrad((input) => ({
    value: tf.clone(input as tf.Tensor),
    gradFunc: () => tf.zeros(shape),
  }))(x) as T;
}

/** What `work` makes of tensors, without its gradient: nothing that comes after leads back into it. */
export function withoutGradient<T extends object>(work: () => T): T {
  let made: T | undefined;
  // Nothing inside of a gradient written by hand is on tfjs's tape. Its tensors are kept past its end; the step drops them.
  tf.customGrad((zero) => {
    made = work();
    for (const tensor of tensorsIn(made)) tf.keep(tensor);
    return { value: tf.clone(zero as tf.Tensor), gradFunc: (dy) => tf.zerosLike(dy) };
  })(tf.scalar(0));
  return made as T;
}

function tensorsIn(value: object): tf.Tensor[] {
  if (value instanceof tf.Tensor) return [value];
  return Object.values(value).flatMap((each) =>
    typeof each === 'object' && each !== null ? tensorsIn(each as object) : [],
  );
}
