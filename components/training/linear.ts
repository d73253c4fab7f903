import { StageError } from '../../framework/stage/stage-error.ts';
import { classBalancedSubset } from '../data/subset.ts';
import type { Engine } from '../engine/types.ts';
import { type FeatureRows, featureSubset, type Standardisation, standardisationOf } from './features.ts';
import { crossEntropyOf, fitLogistic, topOneOf } from './logistic.ts';
import type { TrainingContext } from './loop.ts';
import { fitInMinibatches, type MinibatchOptions } from './minibatch-linear.ts';

export interface LinearOptions {
  readonly classes: number;
  /** Weight of the penalty, or `auto`: chosen on a fifth of the labelled rows, then fitted to all of them. */
  readonly l2: number | 'auto';
  /** Iterations of L-BFGS at the most, for each fit. */
  readonly steps: number;
  /** Of which rows are held back to choose l2, and in which order minibatches come. */
  readonly seed: number;
  readonly minibatch: MinibatchOptions;
}

/** What a linear classifier reached, and whether its fit is the optimum. */
export interface LinearResult {
  readonly top1: number;
  /** Mean cross-entropy of the labelled rows. */
  readonly loss: number;
  /** Absent where minibatches were used: `minibatch.weightDecay` says it there. */
  readonly l2?: number;
  /** Of the last fit; absent where minibatches were used, which have no such measure. */
  readonly gradientNorm?: number;
  readonly iterations: number;
  /** 1 if there is an optimum and the norm of the gradient fell to 1e-6, else 0. */
  readonly converged: number;
}

const TOLERANCE = 1e-6;
/** From strong to weak: each fit begins where the one before ended. */
const CANDIDATES = [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5];
/** So many penalties in a row that are worse than the best one end the search: one alone may be chance. */
const PATIENCE = 2;

/** For a fit that is a small part of a stage: it shows nothing and restarts from scratch. */
export function quietly(signal: AbortSignal): TrainingContext {
  return { signal, progress: () => {}, log: () => {} };
}

/**
 * Top-1 on `test` of multinomial logistic regression fitted to `labelled`. Features are standardised by the statistics of
 * the labelled rows. Up to `minibatch.above` products a pass it is fitted to its optimum, beyond that by minibatches of
 * AdamW as BEiT does (microsoft/unilm, beit/run_linear_eval.py).
 *
 * @throws Error if a feature is NaN or infinite
 */
export async function linearTopOne(
  context: TrainingContext,
  engine: Engine,
  labelled: FeatureRows,
  test: FeatureRows,
  options: LinearOptions,
): Promise<LinearResult> {
  const { classes } = options;
  const scale = standardisationOf(labelled);
  const odd = scale.mean.findIndex((mean) => !Number.isFinite(mean));
  if (odd >= 0)
    throw new StageError(`feature ${odd} of the labelled images is not finite`, {
      hint: 'the training before it diverged: lower its learning rate',
    });
  if (labelled.count * labelled.width * classes > options.minibatch.above) {
    const { x, loss, steps } = await fitInMinibatches(context, engine, labelled, scale, options);
    return { top1: topOneOf(test, scale, classes, x), loss, iterations: steps, converged: 0 };
  }
  const { signal } = context;
  const { l2, start } =
    options.l2 === 'auto'
      ? await chooseL2(labelled, { ...options, signal, scale })
      : { l2: options.l2, start: undefined };
  const fit = await fitLogistic(labelled, {
    ...{ classes, scale, l2, signal },
    ...(start ? { start } : {}),
    tolerance: TOLERANCE,
    maxIterations: options.steps,
  });
  return {
    top1: topOneOf(test, scale, classes, fit.x),
    loss: fit.loss,
    l2,
    gradientNorm: fit.gradientNorm,
    iterations: fit.iterations,
    converged: fit.converged ? 1 : 0,
  };
}

/** For reports: on how many labels it was fitted, and what speaks against the fit. */
export function describeFit(labels: number, { converged, gradientNorm, l2 }: LinearResult): string {
  const known = `${labels.toLocaleString('en-US')} labels`;
  if (converged === 1) return known;
  if (l2 === 0 && gradientNorm !== undefined && gradientNorm <= TOLERANCE)
    return `${known}, separable and without a penalty, so there is no optimum`;
  return gradientNorm === undefined ? `${known}, in minibatches` : `${known}, stopped before the optimum`;
}

/**
 * The penalty whose fit to four fifths of the rows has the lowest cross-entropy on the others, and the weights of that
 * fit: the one to all rows begins there, and ends in the same optimum as from anywhere else.
 */
async function chooseL2(
  features: FeatureRows,
  {
    classes,
    scale,
    steps,
    seed,
    signal,
  }: LinearOptions & { readonly scale: Standardisation; readonly signal: AbortSignal },
): Promise<{ l2: number; start: Float64Array }> {
  const held = classBalancedSubset(features.labels, Math.max(1, Math.floor(features.count / 5)), seed);
  const isHeld = new Set(held);
  const rest = Int32Array.from({ length: features.count }, (_, i) => i).filter((place) => !isHeld.has(place));
  const fitted = featureSubset(features, rest);
  const validation = featureSubset(features, held);
  let best = CANDIDATES[0];
  let lowest = Number.POSITIVE_INFINITY;
  let worse = 0;
  let start: Float64Array | undefined;
  let bestStart: Float64Array = new Float64Array((features.width + 1) * classes);
  for (const l2 of CANDIDATES) {
    const { x } = await fitLogistic(fitted, {
      ...{ classes, scale, l2, signal },
      ...(start ? { start } : {}),
      // Good enough to compare by: the choice is among powers of ten.
      tolerance: 100 * TOLERANCE,
      maxIterations: steps,
    });
    start = x;
    const loss = crossEntropyOf(validation, scale, classes, x);
    if (loss < lowest) {
      lowest = loss;
      best = l2;
      bestStart = x;
      worse = 0;
    } else if (++worse === PATIENCE) break; // Weaker penalties only overfit more from here.
  }
  return { l2: best, start: bestStart };
}
