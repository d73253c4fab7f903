import * as tf from '@tensorflow/tfjs-core';
import { StageError } from '../../framework/stage/stage-error.ts';
import { shuffledBatches } from '../data/order.ts';
import { classBalancedSubset } from '../data/subset.ts';
import type { Engine, HostOf } from '../engine/types.ts';
import { type Affine, dense } from '../nn/layers.ts';
import { crossEntropy } from '../nn/losses.ts';
import { hostTensor } from '../nn/tree.ts';
import { type FeatureRows, featureSubset, type Standardisation } from './features.ts';
import { fit } from './fit.ts';
import type { TrainingContext } from './loop.ts';
import type { Objective } from './objective.ts';
import type { Recipe } from './recipe.ts';
import { shareOf } from './right.ts';

/** How a linear classifier is trained where a fit to its optimum takes too long; BEiT's values are the defaults. */
export interface MinibatchOptions {
  /** Products of a pass (rows x width x classes) beyond which minibatches are used at all. */
  readonly above: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Peak of the cosine schedule; of several the best on held-out rows. */
  readonly learningRate: number | readonly number[];
  readonly weightDecay: number;
}

/** Features of some kind, such as those of a layer: rows to learn from and rows to measure on. */
export interface FeaturePair {
  readonly labelled: FeatureRows;
  readonly test: FeatureRows;
  /** Of the labelled rows. */
  readonly scale: Standardisation;
}

export interface MinibatchFit {
  /** `[width + 1, classes]`, as that of a `LogisticFit`. */
  readonly x: Float64Array;
  readonly loss: number;
  readonly steps: number;
  readonly top1: number;
  /** Of each test row whether it is classified rightly, 1 or 0. */
  readonly right: Uint8Array;
  readonly learningRate: number;
  /** Top-1 on held-out rows; absent where there was nothing to choose. */
  readonly validation?: number;
}

interface Options {
  readonly classes: number;
  readonly seed: number;
  readonly minibatch: MinibatchOptions;
}

/** A classifier for each kind of features and each learning rate. */
type Heads<T> = { readonly [kind: string]: { readonly [rate: string]: Affine<T> } };
type Rows<T> = { readonly [kind: string]: T };

/** Which part of the labelled rows is held out where there is something to choose: a tenth. */
const HELD_OUT = 10;

/**
 * Linear classifiers trained by AdamW from zero weights, all kinds of features and all learning rates at once on the same
 * batches (as DINO's and BEiT's evaluations do); rows are read by batch. The rate of each kind is the one with the best
 * top-1 on a class-balanced tenth of the labelled rows, which is not learnt from; of one kind and one rate none is held out.
 *
 * @param pairs of the same images
 */
export async function fitInMinibatches(
  context: TrainingContext,
  engine: Engine,
  pairs: readonly FeaturePair[],
  options: Options,
): Promise<MinibatchFit[]> {
  const rates = [options.minibatch.learningRate].flat();
  const { labels } = pairs[0].labelled;
  const chooses = pairs.length * rates.length > 1;
  const held = chooses
    ? classBalancedSubset(labels, Math.max(1, Math.floor(labels.length / HELD_OUT)), options.seed)
    : new Int32Array(0);
  const isHeld = new Set(held);
  const learnt = Int32Array.from(labels, (_, place) => place).filter((place) => !isHeld.has(place));
  const { heads, losses, steps } = await trainHeads(context, engine, pairs, { ...options, learnt, rates });
  const measure = await openMeasure(engine, heads, pairs, context.signal);
  const validation = chooses
    ? await measure(pairs.map(({ labelled }) => featureSubset(labelled, held)))
    : undefined;
  const tested = await measure(pairs.map(({ test }) => test));
  return pairs.map((_, kind) => {
    const shares = validation?.[kind].map(shareOf);
    const rate = shares ? shares.indexOf(Math.max(...shares)) : 0;
    const { weight, bias } = heads[kind][rate];
    return {
      ...{ x: Float64Array.from([...weight.data, ...bias.data]), loss: losses[kind][rate], steps },
      ...{ top1: shareOf(tested[kind][rate]), right: tested[kind][rate], learningRate: rates[rate] },
      ...(shares ? { validation: shares[rate] } : {}),
    };
  });
}

async function trainHeads(
  context: TrainingContext,
  engine: Engine,
  pairs: readonly FeaturePair[],
  { classes, seed, minibatch, learnt, rates }: Options & { learnt: Int32Array; rates: readonly number[] },
) {
  const count = learnt.length;
  const { labels } = pairs[0].labelled;
  const batchSize = Math.min(minibatch.batchSize, count);
  const peak = Math.max(...rates);
  const steps = Math.ceil((minibatch.epochs * count) / batchSize);
  const recipe: Recipe = {
    ...{ steps, batchSize, learningRate: peak },
    ...{ betas: [0.9, 0.999], weightDecay: minibatch.weightDecay, clipNorm: 0, layerDecay: 0.1 },
  };
  const names = pairs.flatMap((_, kind) => rates.map((_, rate) => [kind, rate] as const));
  const objective: Objective<Heads<tf.Tensor>, { rows: Rows<tf.Tensor>; labels: tf.Tensor }> = {
    name: 'linear classifier',
    init: () =>
      byPlace(pairs, ({ labelled: { width } }) =>
        byPlace(rates, () => ({ weight: hostTensor([width, classes]), bias: hostTensor([classes]) })),
      ),
    loss(parameters, { batch }) {
      const losses = names.map(([kind, rate]) =>
        crossEntropy(dense(batch.rows[kind], parameters[kind][rate]), batch.labels),
      );
      if (losses.length === 1) return { loss: losses[0] };
      const shown = Object.fromEntries(names.map(([kind, rate], n) => [`loss${kind}_${rate}`, losses[n]]));
      return { loss: tf.addN(losses) as tf.Scalar, shown };
    },
    // Factors of the rate: 0.1 to this power.
    layersAfter: ([, rate]) => -Math.log10(rates[Number(rate)] / peak),
  };
  const order = shuffledBatches({ count, batch: batchSize, seed, purpose: 'linear classifier' });
  const { parameters, last } = await fit(context, engine, objective, {
    ...{ recipe, images: count },
    batches: () => ({
      batch({ step }) {
        const places = order.at(step).map((place) => learnt[place]);
        return {
          rows: byPlace(pairs, ({ labelled, scale }) => standardised(labelled, scale, places)),
          labels: hostTensor(
            [batchSize],
            places.map((place) => labels[place]),
          ),
        };
      },
    }),
    // Rows of features, not images.
    ...{ imagesPerStep: 0, logEvery: 50 },
  });
  const losses = pairs.map((_, kind) =>
    rates.map((_, rate) => (names.length === 1 ? last.loss : last[`loss${kind}_${rate}`])),
  );
  return { heads: parameters, losses, steps };
}

function byPlace<T, U>(values: readonly T[], make: (value: T) => U): { readonly [place: string]: U } {
  return Object.fromEntries(values.map((value, place) => [place, make(value)]));
}

function standardised(rows: FeatureRows, { mean, factor }: Standardisation, places: Int32Array) {
  const { width } = rows;
  const values = rows.read(places).map((value, i) => (value - mean[i % width]) * factor[i % width]);
  return hostTensor([places.length, width], values);
}

const BLOCK = 512;

/** What tells, by kind and rate, which rows each classifier gets right; rows are of the same images for each kind. */
async function openMeasure(
  engine: Engine,
  heads: HostOf<Heads<tf.Tensor>>,
  pairs: readonly FeaturePair[],
  signal: AbortSignal,
): Promise<(rows: readonly FeatureRows[]) => Promise<Uint8Array[][]>> {
  const kinds = Object.keys(heads);
  const of = <U>(make: (kind: string, rate: string) => U) =>
    Object.fromEntries(
      kinds.map((k) => [k, Object.fromEntries(Object.keys(heads[k]).map((r) => [r, make(k, r)]))]),
    );
  const program = await engine.compile<
    Heads<tf.Tensor>,
    { rows: Rows<tf.Tensor> },
    { [kind: string]: { [rate: string]: { best: tf.Tensor; score: tf.Tensor } } }
  >({
    name: 'linear classifier',
    state: engine.state<Heads<tf.Tensor>>(heads),
    batch: { rows: byPlace(pairs, ({ labelled: { width } }) => ({ shape: [BLOCK, width] })) },
    step: (state, { rows }) => {
      const out = of((kind, rate) => {
        const scores = dense(rows[kind], state[kind][rate]);
        return { best: tf.argMax(scores, 1), score: tf.max(scores, 1) };
      });
      return { state, out };
    },
  });
  return async (rows) => {
    const { count, labels } = rows[0];
    const right = rows.map((_, kind) => Object.keys(heads[kind]).map(() => new Uint8Array(count)));
    for (let first = 0; first < count; first += BLOCK) {
      signal.throwIfAborted();
      // Places beyond the end repeat the last row.
      const places = Int32Array.from({ length: BLOCK }, (_, i) => Math.min(first + i, count - 1));
      const scores = await program.run({
        rows: byPlace(
          rows.map((each, kind) => ({ each, scale: pairs[kind].scale })),
          ({ each, scale }) => standardised(each, scale, places),
        ),
      });
      right.forEach((rates, kind) => {
        rates.forEach((own, rate) => {
          const { best, score } = scores[kind][rate];
          for (let i = 0; i < Math.min(BLOCK, count - first); i++) {
            if (!Number.isFinite(score.data[i]))
              throw new StageError(`row ${first + i} of the features has scores that are not finite`);
            if (best.data[i] === labels[first + i]) own[first + i] = 1;
          }
        });
      });
    }
    return right;
  };
}
