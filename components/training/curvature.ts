import type { FeatureRows, Standardisation } from './features.ts';

export interface CurvatureOptions {
  readonly scale: Standardisation;
  readonly classes: number;
  readonly l2: number;
  /** Weights `[width + 1, classes]` at which the curvature is taken; absent: zero weights. */
  readonly x?: Float64Array;
  /** Probabilities of a standardised row at `x`, written to `out`. */
  readonly probabilities: (row: Float64Array, x: Float64Array, out: Float64Array) => void;
}

/**
 * Multiplies a vector `[width + 1, classes]` in place by the inverse of the diagonal blocks of the Hessian of multinomial
 * logistic regression at `x`, one a class k: X' diag(p_k (1 - p_k)) X / N + l2 I. Blocks are estimated from some rows; with
 * zero weights they are equal, and one is made.
 */
export function curvaturePreconditioner(
  features: FeatureRows,
  { scale, classes, l2, x, probabilities }: CurvatureOptions,
): (vector: Float64Array) => void {
  const side = features.width + 1;
  const { rows, count } = someRows(features, scale);
  const out = new Float64Array(classes).fill(1 / classes);
  const blocks = Array.from({ length: x ? classes : 1 }, () => new Float64Array(side * side));
  for (let r = 0; r < count; r++) {
    const row = rows.subarray(r * side, (r + 1) * side);
    if (x) probabilities(row.subarray(0, side - 1), x, out);
    for (const [k, block] of blocks.entries()) addOuter(block, row, (out[k] * (1 - out[k])) / count);
  }
  for (const block of blocks) factorise(block, side, l2);
  return (vector) => {
    removeShift(vector, classes);
    for (let k = 0; k < classes; k++) solve(blocks[k % blocks.length], side, vector, k, classes);
    removeShift(vector, classes);
  };
}

/** What all classes have in common changes no probability and is no direction to go. */
function removeShift(vector: Float64Array, classes: number): void {
  for (let first = 0; first < vector.length; first += classes) {
    let mean = 0;
    for (let k = 0; k < classes; k++) mean += vector[first + k] / classes;
    for (let k = 0; k < classes; k++) vector[first + k] -= mean;
  }
}

/** Rows at even distances, standardised, with a 1 behind each: `[count, width + 1]`. More than there are unknowns a block. */
function someRows(features: FeatureRows, { mean, factor }: Standardisation) {
  const { width } = features;
  const count = Math.min(features.count, Math.max(1000, 4 * (width + 1)));
  const places = Int32Array.from({ length: count }, (_, i) => Math.floor((i * features.count) / count));
  const raw = features.read(places);
  const rows = new Float64Array(count * (width + 1)).fill(1);
  for (let i = 0; i < raw.length; i++) {
    const d = i % width;
    rows[Math.floor(i / width) * (width + 1) + d] = (raw[i] - mean[d]) * factor[d];
  }
  return { rows, count };
}

/** Adds weight * row row' to the lower triangle. */
function addOuter(block: Float64Array, row: Float64Array, weight: number): void {
  const side = row.length;
  for (let a = 0; a < side; a++) {
    const value = row[a] * weight;
    if (value === 0) continue;
    for (let b = 0, at = a * side; b <= a; b++, at++) block[at] += value * row[b];
  }
}

/** Cholesky, in place, of the lower triangle with l2 on the diagonal. */
function factorise(block: Float64Array, side: number, l2: number): void {
  for (let i = 0; i < side; i++) {
    for (let j = 0; j <= i; j++) {
      // The last term keeps it positive definite for features that depend on each other, or never vary.
      let sum = block[i * side + j] + (i === j ? l2 + 1e-9 : 0);
      for (let k = 0; k < j; k++) sum -= block[i * side + k] * block[j * side + k];
      block[i * side + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / block[j * side + j];
    }
  }
}

/** Solves L L' y = vector[:, k], in place. */
function solve(lower: Float64Array, side: number, vector: Float64Array, k: number, classes: number): void {
  for (let i = 0; i < side; i++) {
    let sum = vector[i * classes + k];
    for (let j = 0; j < i; j++) sum -= lower[i * side + j] * vector[j * classes + k];
    vector[i * classes + k] = sum / lower[i * side + i];
  }
  for (let i = side - 1; i >= 0; i--) {
    let sum = vector[i * classes + k];
    for (let j = i + 1; j < side; j++) sum -= lower[j * side + i] * vector[j * classes + k];
    vector[i * classes + k] = sum / lower[i * side + i];
  }
}
