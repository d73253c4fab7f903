import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';
import { leaves, mapTree, type TreeOf, zerosLike } from '../nn/tree.ts';

/** Moments of Adam, one pair a parameter. */
export interface Moments<P> {
  readonly first: P;
  readonly second: P;
}

/** The moments before the first step: zeros. */
export function initMoments<P>(parameters: P): Moments<P> {
  const tree = parameters as TreeOf<HostTensor>;
  return { first: zerosLike(tree) as P, second: zerosLike(tree) as P };
}

/** How AdamW steps; what is absent is PyTorch's default, without decay. */
export interface AdamWOptions {
  /** Default: 0.9 and 0.999. */
  readonly betas?: readonly [number, number];
  readonly epsilon?: number;
  readonly weightDecay?: number;
  /** Gradients are scaled down to this global norm if it is exceeded; 0 or absent: never. */
  readonly clipNorm?: number;
  /** Names at the end of a path whose parameters do not decay, beside those of one dimension or fewer. */
  readonly noDecay?: readonly string[];
  /** Factor of the learning rate by parameter (layer-wise decay); 1 unless said. */
  readonly scale?: (path: readonly string[]) => number;
}

/** What changes from step to step: scalars that the host computes and the batch carries. */
export interface StepScalars<T> {
  readonly learningRate: T;
  /** 1 - beta1^t and 1 - beta2^t for t = 1, 2, ... */
  readonly correction1: T;
  readonly correction2: T;
}

/**
 * One AdamW step (Loshchilov and Hutter 2019, as `torch.optim.AdamW`): decay is decoupled and, as in BEiT
 * (microsoft/unilm, beit/optim_factory.py), not applied to biases and other parameters of one dimension or fewer, nor to
 * those that `noDecay` names: BEiT's class token and positions.
 */
export function adamw<P>(
  parameters: P,
  gradients: P,
  moments: Moments<P>,
  scalars: StepScalars<tf.Tensor>,
  options: AdamWOptions = {},
): { parameters: P; moments: Moments<P>; gradientNorm: tf.Scalar } {
  const {
    betas = [0.9, 0.999],
    epsilon = 1e-8,
    weightDecay = 0,
    clipNorm = 0,
    noDecay = [],
    scale,
  } = options;
  const [beta1, beta2] = betas;
  const all = leaves<tf.Tensor>(gradients as TreeOf<tf.Tensor>).map(({ leaf }) => leaf);
  const gradientNorm = tf.sqrt(tf.addN(all.map((g) => tf.sum(tf.square(g))))) as tf.Scalar;
  const factor = clipNorm > 0 ? tf.div(clipNorm, tf.maximum(gradientNorm, clipNorm)) : undefined;
  const rootCorrection2 = tf.sqrt(scalars.correction2);
  const rate = tf.div(scalars.learningRate, scalars.correction1);

  const update = (path: readonly string[], p: tf.Tensor, raw: tf.Tensor, m: tf.Tensor, v: tf.Tensor) => {
    const g = factor ? tf.mul(raw, factor) : raw;
    const first = tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1));
    const second = tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2));
    const denominator = tf.add(tf.div(tf.sqrt(second), rootCorrection2), epsilon);
    const share = scale?.(path) ?? 1;
    const by = share === 1 ? rate : tf.mul(rate, share);
    const decay = weightDecay > 0 && p.rank > 1 && !noDecay.includes(path.at(-1) ?? '');
    const kept = decay ? tf.mul(p, tf.sub(1, tf.mul(scalars.learningRate, weightDecay * share))) : p;
    return { p: tf.sub(kept, tf.mul(by, tf.div(first, denominator))), first, second };
  };

  const flat = (tree: P) => leaves<tf.Tensor>(tree as TreeOf<tf.Tensor>);
  const firsts = flat(moments.first);
  const seconds = flat(moments.second);
  const updates = flat(parameters).map(({ path, leaf }, i) =>
    update(path, leaf, all[i], firsts[i].leaf, seconds[i].leaf),
  );
  const collect = (name: 'p' | 'first' | 'second'): P => {
    let next = 0;
    return mapTree<tf.Tensor, tf.Tensor>(parameters as TreeOf<tf.Tensor>, () => updates[next++][name]) as P;
  };
  return {
    parameters: collect('p'),
    moments: { first: collect('first'), second: collect('second') },
    gradientNorm,
  };
}
