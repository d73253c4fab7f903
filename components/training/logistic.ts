import { StageError } from '../../framework/stage/stage-error.ts';
import { curvaturePreconditioner } from './curvature.ts';
import { type FeatureRows, forEachBlock, type Standardisation } from './features.ts';
import { type Minimum, minimise } from './lbfgs.ts';
import { shareOf } from './right.ts';

export interface LogisticOptions {
  readonly classes: number;
  readonly scale: Standardisation;
  /** Half of this times the sum of squared weights is added to the mean cross-entropy; the bias goes free. */
  readonly l2: number;
  /** Where to begin: weights of another fit. */
  readonly start?: Float64Array;
  readonly tolerance: number;
  readonly maxIterations: number;
  readonly signal?: AbortSignal;
}

/** A linear classifier: `x` is `[width + 1, classes]`, the last row the bias, for standardised features. */
export interface LogisticFit extends Minimum {
  /** Mean cross-entropy of the training rows, without the penalty. */
  readonly loss: number;
  /** False also where there is no optimum: separable rows without a penalty. */
  readonly converged: boolean;
}

/**
 * Multinomial logistic regression, fitted to its optimum: the function is convex, so there is one. L-BFGS in float64,
 * preconditioned by the curvature where it begins, because features of a network are correlated.
 */
export async function fitLogistic(features: FeatureRows, options: LogisticOptions): Promise<LogisticFit> {
  const { classes, scale, l2, tolerance, maxIterations, signal } = options;
  const { width } = features;
  const start = options.start ?? new Float64Array((width + 1) * classes);
  let loss = 0;
  const objective = async (x: Float64Array, gradient: Float64Array) => {
    signal?.throwIfAborted();
    // Lets signals and messages in.
    await new Promise((resolve) => setImmediate(resolve));
    const entropy = crossEntropyOf(features, scale, classes, x, gradient);
    let squares = 0;
    for (let i = 0; i < width * classes; i++) {
      squares += x[i] ** 2;
      gradient[i] += l2 * x[i];
    }
    loss = entropy;
    return entropy + 0.5 * l2 * squares;
  };
  const precondition = curvaturePreconditioner(features, {
    ...{ scale, classes, l2 },
    ...(options.start ? { x: options.start } : {}),
    probabilities: (row, x, out) => {
      scoreRow(row, x, out);
      softmaxInPlace(out, 0);
    },
  });
  const minimum = await minimise(objective, start, { tolerance, maxIterations, precondition });
  if (minimum.iterations > 0) loss = crossEntropyOf(features, scale, classes, minimum.x);
  // Then each row's label has a probability above one half: larger weights would be better still, without end.
  const endless = l2 === 0 && loss * features.count < Math.LN2;
  return { ...minimum, converged: minimum.converged && !endless, loss };
}

/** Mean cross-entropy of the rows; writes its gradient too, if there is a place for it. */
export function crossEntropyOf(
  features: FeatureRows,
  scale: Standardisation,
  classes: number,
  x: Float64Array,
  gradient?: Float64Array,
): number {
  const { count, width, labels } = features;
  const row = new Float64Array(width);
  const scores = new Float64Array(classes);
  gradient?.fill(0);
  let total = 0;
  forEachBlock(features, (rows, first) => {
    for (let r = 0; r * width < rows.length; r++) {
      standardiseRow(rows, r, scale, row);
      scoreRow(row, x, scores);
      total += softmaxInPlace(scores, labels[first + r]);
      if (!gradient) continue;
      scores[labels[first + r]] -= 1;
      for (let d = 0; d < width; d++) {
        const value = row[d];
        for (let k = 0, at = d * classes; k < classes; k++, at++) gradient[at] += value * scores[k];
      }
      for (let k = 0; k < classes; k++) gradient[width * classes + k] += scores[k];
    }
  });
  if (gradient) for (let i = 0; i < gradient.length; i++) gradient[i] /= count;
  return total / count;
}

/**
 * Of each row, 1 or 0, whether its largest score (the first of equals) is the label's.
 *
 * @throws Error that names the row, if its scores are no numbers: of those the first class would be the largest
 */
export function rightOf(
  features: FeatureRows,
  scale: Standardisation,
  classes: number,
  x: Float64Array,
): Uint8Array {
  const row = new Float64Array(features.width);
  const scores = new Float64Array(classes);
  const right = new Uint8Array(features.count);
  forEachBlock(features, (rows, first) => {
    for (let r = 0; r * features.width < rows.length; r++) {
      standardiseRow(rows, r, scale, row);
      scoreRow(row, x, scores);
      let best = 0;
      for (let k = 1; k < classes; k++) if (scores[k] > scores[best]) best = k;
      if (!Number.isFinite(scores[best]))
        throw new StageError(`row ${first + r} of the features has scores that are not finite`);
      if (best === features.labels[first + r]) right[first + r] = 1;
    }
  });
  return right;
}

/** Share of the rows whose largest score (the first of equals) is the label; throws as `rightOf`. */
export function topOneOf(...args: Parameters<typeof rightOf>): number {
  return shareOf(rightOf(...args));
}

function standardiseRow(
  rows: Float32Array,
  index: number,
  { mean, factor }: Standardisation,
  out: Float64Array,
): void {
  const from = index * out.length;
  for (let d = 0; d < out.length; d++) out[d] = (rows[from + d] - mean[d]) * factor[d];
}

/** row [D] times x [D + 1, K], whose last row is the bias. */
function scoreRow(row: Float64Array, x: Float64Array, out: Float64Array): void {
  const classes = out.length;
  const bias = row.length * classes;
  for (let k = 0; k < classes; k++) out[k] = x[bias + k];
  for (let d = 0; d < row.length; d++) {
    const value = row[d];
    for (let k = 0, at = d * classes; k < classes; k++, at++) out[k] += value * x[at];
  }
}

/** Scores to probabilities; returns the cross-entropy of the label. */
function softmaxInPlace(scores: Float64Array, label: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (const score of scores) if (score > max) max = score;
  const labelled = scores[label] - max;
  let sum = 0;
  for (let k = 0; k < scores.length; k++) {
    scores[k] = Math.exp(scores[k] - max);
    sum += scores[k];
  }
  for (let k = 0; k < scores.length; k++) scores[k] /= sum;
  return Math.log(sum) - labelled;
}
