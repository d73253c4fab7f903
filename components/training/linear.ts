import { StageError } from '../../framework/stage/stage-error.ts';
import { classBalancedSubset } from '../data/subset.ts';
import type { Engine } from '../engine/types.ts';
import { type FeatureRows, featureSubset, type Standardisation, standardisationOf } from './features.ts';
import { crossEntropyOf, fitLogistic, rightOf, topOneOf } from './logistic.ts';
import type { TrainingContext } from './loop.ts';
import { type FeaturePair, fitInMinibatches, type MinibatchOptions } from './minibatch-linear.ts';
import { shareOf } from './right.ts';

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
  /** Of each test row whether it is classified rightly, 1 or 0. */
  readonly right: Uint8Array;
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

/** What one of several kinds of features reached. */
export interface KindResult extends LinearResult {
  /** Top-1 on labelled rows that were held out; absent where there was nothing to choose. */
  readonly validation?: number;
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
  const [{ validation: _, ...result }] = await linearOfKinds(context, engine, [{ labelled, test }], options);
  return result;
}

/**
 * The same for several kinds of features of the same images, such as those of several layers. Of several each has its
 * top-1 on held-out rows of the labelled ones: that is to choose by, never the top-1 on `test`.
 */
export async function linearOfKinds(
  context: TrainingContext,
  engine: Engine,
  kinds: readonly Pick<FeaturePair, 'labelled' | 'test'>[],
  options: LinearOptions,
): Promise<KindResult[]> {
  const { classes, minibatch } = options;
  const pairs = kinds.map((kind) => ({ ...kind, scale: finiteScale(kind.labelled) }));
  const { count, width } = pairs[0].labelled;
  if (count * width * classes > minibatch.above) {
    const fits = await fitInMinibatches(context, engine, pairs, options);
    return fits.map(({ top1, right, loss, steps, validation }) => ({
      ...{ top1, right, loss, iterations: steps, converged: 0 },
      ...(validation === undefined ? {} : { validation }),
    }));
  }
  const results: KindResult[] = [];
  for (const pair of pairs) results.push(await fitToOptimum(context.signal, pair, options, pairs.length > 1));
  return results;
}

function finiteScale(labelled: FeatureRows): Standardisation {
  const scale = standardisationOf(labelled);
  const odd = scale.mean.findIndex((mean) => !Number.isFinite(mean));
  if (odd < 0) return scale;
  throw new StageError(`feature ${odd} of the labelled images is not finite`, {
    hint: 'the training before it diverged: lower its learning rate',
  });
}

async function fitToOptimum(
  signal: AbortSignal,
  { labelled, test, scale }: FeaturePair,
  options: LinearOptions,
  validates: boolean,
): Promise<KindResult> {
  const { classes } = options;
  const chosen =
    options.l2 === 'auto' || validates
      ? await chooseL2(labelled, { ...options, signal, scale, validates })
      : { l2: options.l2 };
  const { l2, start, validation } = chosen as Partial<Choice> & Pick<Choice, 'l2'>;
  const fit = await fitLogistic(labelled, {
    ...{ classes, scale, l2, signal },
    ...(start ? { start } : {}),
    tolerance: TOLERANCE,
    maxIterations: options.steps,
  });
  const right = rightOf(test, scale, classes, fit.x);
  return {
    ...{ top1: shareOf(right), right },
    ...{ loss: fit.loss, l2, gradientNorm: fit.gradientNorm, iterations: fit.iterations },
    converged: fit.converged ? 1 : 0,
    ...(validation === undefined ? {} : { validation }),
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

interface Choice {
  readonly l2: number;
  readonly start: Float64Array;
  /** Top-1 on the rows that were held out, where it was asked for. */
  readonly validation?: number;
}

interface Choosing extends LinearOptions {
  readonly scale: Standardisation;
  readonly signal: AbortSignal;
  readonly validates: boolean;
}

/**
 * The penalty whose fit to four fifths of the rows has the lowest cross-entropy on the others, and the weights of that
 * fit: the one to all rows begins there, and ends in the same optimum as from anywhere else.
 */
async function chooseL2(
  features: FeatureRows,
  { classes, scale, steps, seed, signal, l2: wanted, validates }: Choosing,
): Promise<Choice> {
  const held = classBalancedSubset(features.labels, Math.max(1, Math.floor(features.count / 5)), seed);
  const isHeld = new Set(held);
  const rest = Int32Array.from({ length: features.count }, (_, i) => i).filter((place) => !isHeld.has(place));
  const fitted = featureSubset(features, rest);
  const validation = featureSubset(features, held);
  const candidates = wanted === 'auto' ? CANDIDATES : [wanted];
  let best = candidates[0];
  let lowest = Number.POSITIVE_INFINITY;
  let worse = 0;
  let start: Float64Array | undefined;
  let bestStart: Float64Array = new Float64Array((features.width + 1) * classes);
  for (const l2 of candidates) {
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
  const top1 = validates ? { validation: topOneOf(validation, scale, classes, bestStart) } : {};
  return { l2: best, start: bestStart, ...top1 };
}
