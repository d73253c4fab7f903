import { type Random, random } from '../components/nn/random.ts';

/** What another test set of the same size could have made of a number. */
export interface ImageNoise {
  /** Ends of the 95 % interval. */
  readonly interval: readonly [low: number, high: number];
  /** Two-sided: how often a test set drawn from these images has the other sign, or none. */
  readonly p: number;
  /** How many images the test has. */
  readonly images: number;
  /** How many test sets were drawn from them. */
  readonly resamples: number;
}

const resamples = 10_000;

/**
 * Percentile bootstrap of the mean of a value for each test image (Efron, "Bootstrap methods: another look at the jackknife",
 * 1979): 10,000 times as many images are drawn with replacement. Of a difference between two rows the value of an image is
 * that difference, so what is hard for both cancels.
 *
 * Images of one value are drawn together, since only their number counts: counts of the distinct values have a multinomial
 * distribution. So it takes milliseconds where values are right and wrong. The numbers drawn depend on nothing but the
 * values: the same results give the same bytes.
 *
 * @throws RangeError without values
 */
export function bootstrapMean(values: ArrayLike<number>): ImageNoise {
  const images = values.length;
  if (images === 0) throw new RangeError('no images to draw from');
  const draw = random(0, 'bootstrap over test images');
  const counts = [...countsOf(values)];
  const logFactorials = logFactorialsTo(images);
  const means = Float64Array.from({ length: resamples }, () => {
    let [left, mass, sum] = [images, images, 0];
    for (const [value, count] of counts) {
      const drawn = count === mass ? left : binomial(left, count / mass, draw, logFactorials);
      sum += value * drawn;
      left -= drawn;
      mass -= count;
    }
    return sum / images;
  });
  return noiseOfDraws(means, images);
}

/**
 * The percentile bootstrap of a number whose values on drawn test sets are known.
 *
 * @param values one for each test set
 * @param images of the test
 */
export function noiseOfDraws(values: Float64Array, images: number): ImageNoise {
  const sorted = values.toSorted();
  const share = (holds: (value: number) => boolean) =>
    (sorted.filter(holds).length + 1) / (sorted.length + 1);
  return {
    interval: [quantileOf(sorted, 0.025), quantileOf(sorted, 0.975)],
    p: Math.min(
      1,
      2 *
        Math.min(
          share((value) => value <= 0),
          share((value) => value >= 0),
        ),
    ),
    images,
    resamples: sorted.length,
  };
}

/** Rising by value, so that it doesn't depend on the order of the images. */
function countsOf(values: ArrayLike<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of Float64Array.from(values).sort()) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Between the two values next to its place, as numpy's `quantile`. */
function quantileOf(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/** log(k!) for k from 0 on. */
function logFactorialsTo(most: number): Float64Array {
  const logs = new Float64Array(most + 1);
  for (let k = 2; k <= most; k++) logs[k] = logs[k - 1] + Math.log(k);
  return logs;
}

/**
 * How many of n draws succeed, each with the same chance strictly between 0 and 1. By inversion: the probabilities of the
 * counts are taken from a uniform number, the likeliest first, then those next to it.
 */
function binomial(n: number, chance: number, draw: Random, logFactorials: Float64Array): number {
  const odds = chance / (1 - chance);
  const mode = Math.min(n, Math.floor((n + 1) * chance));
  let [low, high] = [mode, mode];
  let rest = draw.uniform();
  let below = Math.exp(
    logFactorials[n] -
      logFactorials[mode] -
      logFactorials[n - mode] +
      mode * Math.log(chance) +
      (n - mode) * Math.log1p(-chance),
  );
  let above = below;
  rest -= below;
  while (rest >= 0 && (low > 0 || high < n)) {
    if (high < n) {
      above *= ((n - high) / (high + 1)) * odds;
      high++;
      rest -= above;
      if (rest < 0) return high;
    }
    if (low > 0) {
      below *= low / ((n - low + 1) * odds);
      low--;
      rest -= below;
      if (rest < 0) return low;
    }
  }
  // Also where rounding left a little of the probability over.
  return mode;
}
