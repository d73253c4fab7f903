import * as tf from '@tensorflow/tfjs-core';
import { StageError } from '../../framework/stage/stage-error.ts';
import { describeValue } from '../engine/check.ts';
import type { Tree } from '../engine/types.ts';
import { leaves, refill, type TreeOf } from '../nn/tree.ts';

/**
 * Loss, its gradient for every leaf of `parameters`, and whatever else `compute` puts into `aux`
 * (codes, accuracies, new statistics): those carry no gradient.
 *
 * @throws StageError if the loss isn't a scalar: the gradient would be that of its sum
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
    return asScalar('the loss', loss);
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

/** @throws StageError that says what `value` is, if it isn't a scalar. Users' code may run without a check of its types. */
export function asScalar(what: string, value: tf.Tensor): tf.Scalar {
  if (value instanceof tf.Tensor && value.rank === 0) return value as tf.Scalar;
  throw new StageError(`${what} is ${describeValue(value)}, not a scalar`, {
    hint: 'take its mean: `tf.mean(...)` gives one number',
  });
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
