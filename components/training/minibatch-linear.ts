import type * as tf from '@tensorflow/tfjs-core';
import { shuffledBatches } from '../data/order.ts';
import type { Engine } from '../engine/types.ts';
import { dense } from '../nn/layers.ts';
import { crossEntropy } from '../nn/losses.ts';
import { hostTensor } from '../nn/tree.ts';
import type { FeatureRows, Standardisation } from './features.ts';
import { valueAndGradients } from './gradients.ts';
import { type TrainingContext, train } from './loop.ts';
import { adamw, initMoments, type StepSize } from './optimizer.ts';
import { cosineLearningRate, stepSize } from './schedule.ts';

/** How a linear classifier is trained where a fit to its optimum takes too long; BEiT's values are the defaults. */
export interface MinibatchOptions {
  /** Products of a pass (rows x width x classes) beyond which minibatches are used at all. */
  readonly above: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Peak of the cosine schedule. */
  readonly learningRate: number;
  readonly weightDecay: number;
}

interface Affine<T> {
  readonly weight: T;
  readonly bias: T;
}

interface LinearState<T> {
  readonly parameters: Affine<T>;
  readonly moments: { readonly first: Affine<T>; readonly second: Affine<T> };
}

/** A linear classifier trained by AdamW from zero weights; `x` as that of a `LogisticFit`. Rows are read by batch. */
export async function fitInMinibatches(
  context: TrainingContext,
  engine: Engine,
  features: FeatureRows,
  { mean, factor }: Standardisation,
  options: { readonly classes: number; readonly seed: number; readonly minibatch: MinibatchOptions },
): Promise<{ x: Float64Array; loss: number; steps: number }> {
  const { classes, seed, minibatch } = options;
  const { count, width } = features;
  const batchSize = Math.min(minibatch.batchSize, count);
  const steps = Math.ceil((minibatch.epochs * count) / batchSize);
  const parameters = { weight: hostTensor([width, classes]), bias: hostTensor([classes]) };
  const state = engine.state<LinearState<tf.Tensor>>({ parameters, moments: initMoments(parameters) });
  const scalar = { shape: [] };
  const program = await engine.compile({
    name: 'linear classifier',
    state,
    step: (
      now: LinearState<tf.Tensor>,
      batch: { rows: tf.Tensor; labels: tf.Tensor; size: StepSize<tf.Tensor> },
    ) => {
      const { loss, gradients } = valueAndGradients(now.parameters, (p) => ({
        loss: crossEntropy(dense(batch.rows, p), batch.labels),
        aux: {},
      }));
      const { weightDecay } = minibatch;
      const next = adamw(now.parameters, gradients, now.moments, batch.size, { weightDecay });
      return { state: { parameters: next.parameters, moments: next.moments }, out: { loss } };
    },
    batch: {
      rows: { shape: [batchSize, width] },
      labels: { shape: [batchSize], dtype: 'int32' },
      size: { learningRate: scalar, correction1: scalar, correction2: scalar },
    },
  });
  const batches = shuffledBatches({ count, batch: batchSize, seed, purpose: 'linear classifier' });
  const last = await train(context, {
    program,
    state,
    steps,
    // Rows of features, not images.
    batchSize: 0,
    batch: (step) => {
      const places = batches.at(step);
      const rows = features.read(places).map((value, i) => (value - mean[i % width]) * factor[i % width]);
      return {
        rows: hostTensor([batchSize, width], rows),
        labels: hostTensor(
          [batchSize],
          Int32Array.from(places, (place) => features.labels[place]),
        ),
        size: stepSize(step, cosineLearningRate(step, { learningRate: minibatch.learningRate, steps })),
      };
    },
    logEvery: 50,
  });
  const { weight, bias } = state.read().parameters;
  program.dispose();
  state.dispose();
  return { x: Float64Array.from([...weight.data, ...bias.data]), loss: last.loss, steps };
}
