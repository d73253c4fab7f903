/**
 * The value that a variable with Student's t distribution stays below with this probability.
 *
 * @param probability above 0.5 and below 1
 * @param freedom degrees of freedom, a whole number from 1
 */
export function quantileOfT(probability: number, freedom: number): number {
  // The share between -t and t grows with the angle atan(t / sqrt(freedom)): halve until the angle is found.
  const inside = 2 * probability - 1;
  let low = 0;
  let high = Math.PI / 2;
  for (let halving = 0; halving < 60; halving++) {
    const middle = (low + high) / 2;
    if (shareWithin(middle, freedom) < inside) low = middle;
    else high = middle;
  }
  return Math.tan(low) * Math.sqrt(freedom);
}

/** How likely it is that a variable with Student's t distribution is as far from 0 as this or farther, on either side. */
export function probabilityBeyond(t: number, freedom: number): number {
  return Math.max(0, 1 - shareWithin(Math.atan(Math.abs(t) / Math.sqrt(freedom)), freedom));
}

/** Abramowitz and Stegun, 26.7.3 and 26.7.4: the share between -t and t, finite sums for whole degrees of freedom. */
function shareWithin(angle: number, freedom: number): number {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < freedom; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
