/**
 * The p values of several tests, corrected so that the chance of any wrong rejection stays below the level (Holm, "A simple
 * sequentially rejective multiple test procedure", 1979). In the order of what was given.
 */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a] - values[b]);
  const corrected = new Array<number>(values.length);
  let largest = 0;
  for (const [rank, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (values.length - rank) * values[index]));
    corrected[index] = largest;
  }
  return corrected;
}
