import type { Random } from './random.ts';

/** A number of the Beta distribution with parameters a, b > 0, in [0, 1]: of two gamma numbers, the share of the first. */
export function drawBeta(random: Random, a: number, b: number): number {
  const [first, second] = [logGamma(random, a), logGamma(random, b)];
  return 1 / (1 + Math.exp(second - first));
}

/**
 * The logarithm of a gamma number (Marsaglia and Tsang 2000); for a shape below 1 that of shape + 1, times a power of a uniform
 * number, which alone could be too small to be a number.
 */
function logGamma(random: Random, shape: number): number {
  if (shape < 1) return logGamma(random, shape + 1) + Math.log(1 - random.uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = random.normal();
    const v = (1 + c * normal) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * normal ** 2 + d - d * v + d * Math.log(v))
      return Math.log(d * v);
  }
}
