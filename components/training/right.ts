/**
 * Of each row [K] whether its label is among the `first` largest entries, 1 or 0; of equal entries those of the first classes
 * come first.
 *
 * @param rows [N, K]
 */
export function rightRows(rows: Float32Array, labels: ArrayLike<number>, first = 1): Uint8Array {
  const width = rows.length / labels.length;
  const right = new Uint8Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    const own = rows[row * width + label]!;
    let before = 0;
    for (let k = 0; k < width && before < first; k++) {
      const entry = rows[row * width + k]!;
      if (entry > own || (entry === own && k < label)) before++;
    }
    if (before < first) right[row] = 1;
  }
  return right;
}

/** How many are 1. */
export function countOnes(right: Uint8Array): number {
  let count = 0;
  for (const one of right) count += one;
  return count;
}

/** How many of all are 1, as a share. */
export function shareOf(right: Uint8Array): number {
  return countOnes(right) / right.length;
}
