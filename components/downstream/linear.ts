import type * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../engine/types.ts';
import { valueAndGradients } from '../nn/gradients.ts';
import { dense } from '../nn/layers.ts';
import { crossEntropy } from '../nn/losses.ts';
import { adamw, initMoments, type StepSize } from '../nn/optimizer.ts';
import { cosineLearningRate, stepSize } from '../nn/schedule.ts';
import { type TrainingContext, train } from '../nn/train.ts';
import { hostTensor } from '../nn/tree.ts';
import { topOne } from './classify.ts';

/** Rows of features, [labels.length, width] as one array, with their labels. */
export interface Features {
  readonly rows: Float32Array;
  readonly labels: Int32Array;
}

export interface LinearOptions {
  readonly width: number;
  readonly classes: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** For a fit that is a small part of a stage: it shows nothing and begins anew. */
export function quietly(signal: AbortSignal): TrainingContext {
  return { signal, progress: () => {}, log: () => {} };
}

/**
 * Top-1 on `test` of multinomial logistic regression fitted to `labelled` by AdamW on the whole batch. Features are
 * standardised by the statistics of the training rows. Starts from zero weights, so it needs no seed.
 */
export async function linearTopOne(
  context: TrainingContext,
  engine: Engine,
  labelled: Features,
  test: Features,
  { width, classes, steps, learningRate, weightDecay }: LinearOptions,
): Promise<number> {
  const scale = standardisation(labelled.rows, width);
  const count = labelled.labels.length;
  const parameters = { weight: hostTensor([width, classes]), bias: hostTensor([classes]) };
  type Affine = { weight: tf.Tensor; bias: tf.Tensor };
  type LinearState = { parameters: Affine; moments: { first: Affine; second: Affine } };
  const state = engine.state<LinearState>({ parameters, moments: initMoments(parameters) });
  const scalar = { shape: [] };
  const program = await engine.compile({
    name: 'linear classifier',
    state,
    step: (
      now: LinearState,
      batch: { size: StepSize<tf.Tensor> },
      data: { rows: tf.Tensor; labels: tf.Tensor },
    ) => {
      const { loss, gradients } = valueAndGradients(now.parameters, (p) => ({
        loss: crossEntropy(dense(data.rows, p), data.labels),
        aux: {},
      }));
      const next = adamw(now.parameters, gradients, now.moments, batch.size, { weightDecay });
      return { state: { parameters: next.parameters, moments: next.moments }, out: { loss } };
    },
    batch: { size: { learningRate: scalar, correction1: scalar, correction2: scalar } },
    constants: {
      rows: hostTensor([count, width], scale(labelled.rows)),
      labels: hostTensor([count], Int32Array.from(labelled.labels)),
    },
  });
  await train(context, {
    program,
    state,
    steps,
    // Rows of features, not images.
    batchSize: 0,
    batch: (step) => ({ size: stepSize(step, cosineLearningRate(step, { learningRate, steps })) }),
    logEvery: 50,
  });
  const { weight, bias } = state.read().parameters;
  program.dispose();
  state.dispose();
  return topOne(
    scores(scale(test.rows), width, weight.data as Float32Array, bias.data as Float32Array),
    classes,
    test.labels,
  );
}

/** Makes each column of the training rows zero mean and unit variance; columns that never vary become 0. */
function standardisation(rows: Float32Array, width: number): (rows: Float32Array) => Float32Array {
  const count = rows.length / width;
  const mean = new Float64Array(width);
  const square = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) mean[i % width] += rows[i] / count;
  for (let i = 0; i < rows.length; i++) square[i % width] += (rows[i] - mean[i % width]) ** 2 / count;
  const inverse = square.map((variance) => (variance > 1e-12 ? 1 / Math.sqrt(variance) : 0));
  return (input) => input.map((value, i) => (value - mean[i % width]) * inverse[i % width]);
}

/** rows [N, D] times weight [D, K] plus bias [K]. */
function scores(rows: Float32Array, width: number, weight: Float32Array, bias: Float32Array): Float32Array {
  const classes = bias.length;
  const out = new Float32Array((rows.length / width) * classes);
  for (let row = 0; row < rows.length / width; row++) {
    for (let k = 0; k < classes; k++) {
      let sum = bias[k];
      for (let d = 0; d < width; d++) sum += rows[row * width + d] * weight[d * classes + k];
      out[row * classes + k] = sum;
    }
  }
  return out;
}
