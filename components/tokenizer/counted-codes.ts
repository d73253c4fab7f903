import * as tf from '@tensorflow/tfjs-core';
import { hostTensor } from '../nn/tree.ts';
import type { Rest } from '../training/objective.ts';
import { codeUse } from './codebook.ts';

/** How many tokens take each code: [K]. */
export type CodeCounts<T> = { readonly taken: T };

/** Of tokens by the logits of their codes, [N, K]: a token takes its likeliest code, as it does in a trained tokenizer. */
export function countCodes(logits: tf.Tensor): CodeCounts<tf.Tensor> {
  const size = logits.shape[1] as number;
  return { taken: tf.sum(tf.cast(tf.oneHot(tf.argMax(logits, 1), size), 'float32'), 0) };
}

/**
 * Shows how a whole batch uses the codes, whatever its micro-batches are, of a training whose codebook moves by gradients: the
 * same measures as of one that moves by averages. It has no state.
 */
export function showCodeUse(size: number): Rest<object, CodeCounts<tf.Tensor>> {
  return {
    init: () => ({}),
    none: () => ({ taken: hostTensor([size]) }),
    update: () => ({}),
    shown: ({ taken }) => codeUse(taken),
  };
}
