/**
 * The matrix [at.length, places.length] that makes values at `at` of values at `places`: the interpolating cubic spline
 * without knots at the second and the last but one place ("not-a-knot"), which FITPACK makes for a smoothing of 0. Beyond
 * the ends the value at the end counts, as in FITPACK's `bispev`. Fewer than four places: the polynomial through them.
 *
 * @param places ascending
 */
export function splineMatrix(places: readonly number[], at: readonly number[]): Float64Array {
  const count = places.length;
  const weights = new Float64Array(at.length * count);
  const curvature = count > 3 ? curvatures(places) : undefined;
  for (const [row, given] of at.entries()) {
    const x = Math.min(Math.max(given, places[0]!), places[count - 1]!);
    const out = weights.subarray(row * count, (row + 1) * count);
    if (curvature) cubicWeights(places, curvature, x, out);
    else polynomialWeights(places, x, out);
  }
  return weights;
}

/** Of Lagrange. */
function polynomialWeights(places: readonly number[], x: number, out: Float64Array): void {
  for (const [i, own] of places.entries()) {
    out[i] = places.reduce(
      (product, other, j) => (i === j ? product : (product * (x - other)) / (own - other)),
      1,
    );
  }
}

/** y = a y0 + b y1 + (a^3 - a) h^2 / 6 m0 + (b^3 - b) h^2 / 6 m1 in each interval, m being second derivatives. */
function cubicWeights(
  places: readonly number[],
  curvature: Float64Array,
  x: number,
  out: Float64Array,
): void {
  const count = places.length;
  let i = 0;
  while (i < count - 2 && x > places[i + 1]!) i++;
  const width = places[i + 1]! - places[i]!;
  const a = (places[i + 1]! - x) / width;
  const b = 1 - a;
  const [bendA, bendB] = [((a ** 3 - a) * width ** 2) / 6, ((b ** 3 - b) * width ** 2) / 6];
  for (let j = 0; j < count; j++) {
    out[j] = bendA * curvature[i * count + j]! + bendB * curvature[(i + 1) * count + j]!;
  }
  out[i]! += a;
  out[i + 1]! += b;
}

/** The matrix [count, count] that makes second derivatives at the places of the values there. */
function curvatures(places: readonly number[]): Float64Array {
  const count = places.length;
  const gaps = Array.from({ length: count - 1 }, (_, i) => places[i + 1]! - places[i]!);
  const left = new Float64Array(count * count);
  const right = new Float64Array(count * count);
  for (let i = 1; i < count - 1; i++) {
    const [before, after] = [gaps[i - 1]!, gaps[i]!];
    left.set([before, 2 * (before + after), after], i * count + i - 1);
    right.set([6 / before, -6 / before - 6 / after, 6 / after], i * count + i - 1);
  }
  // The third derivative doesn't jump at the second and the last but one place.
  left.set([gaps[1]!, -gaps[0]! - gaps[1]!, gaps[0]!], 0);
  const [first, last] = [gaps[count - 3]!, gaps[count - 2]!];
  left.set([last, -first - last, first], count * count - 3);
  return solve(left, right, count);
}

/** left^-1 right, by elimination with row pivoting; changes both. */
function solve(left: Float64Array, right: Float64Array, n: number): Float64Array {
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++) {
      if (Math.abs(left[row * n + column]!) > Math.abs(left[pivot * n + column]!)) pivot = row;
    }
    for (const matrix of [left, right]) swapRows(matrix, column, pivot, n);
    for (let row = 0; row < n; row++) {
      if (row === column) continue;
      const factor = left[row * n + column]! / left[column * n + column]!;
      if (factor === 0) continue;
      for (const matrix of [left, right]) {
        for (let k = 0; k < n; k++) matrix[row * n + k]! -= factor * matrix[column * n + k]!;
      }
    }
  }
  return right.map((value, place) => value / left[Math.floor(place / n) * (n + 1)]!);
}

function swapRows(matrix: Float64Array, a: number, b: number, n: number): void {
  if (a === b) return;
  const kept = matrix.slice(a * n, (a + 1) * n);
  matrix.copyWithin(a * n, b * n, (b + 1) * n);
  matrix.set(kept, b * n);
}
