import { probabilityBeyond, quantileOfT } from './student.ts';

/** What a cell of the table says about the values of its seeds. */
export interface Summary {
  readonly mean: number;
  /** Sample standard deviation (divisor n - 1); undefined for a single value. */
  readonly deviation: number | undefined;
  readonly n: number;
}

/** Differences between two rows, paired by seed. */
export interface Difference extends Summary {
  /** Ends of the 95 % interval of the mean by Student's t; undefined for a single pair, and where all gain the same. */
  readonly interval: readonly [low: number, high: number] | undefined;
  /** Of the two-sided paired t test that the mean is 0; undefined for a single pair, and where all gain the same. */
  readonly p: number | undefined;
}

/** Values by seed. */
export type BySeed = ReadonlyMap<number, number>;

/** Differences up to this many units in the last place of what they are made of are rounding, not differences. */
const roundingUnits = 4;

/**
 * Exact where it can be: equal values have their own value as mean and 0 as deviation, and neither huge nor tiny values
 * overflow or vanish on the way.
 *
 * @throws RangeError without values
 */
export function summarise(values: readonly number[]): Summary {
  const n = values.length;
  if (n === 0) throw new RangeError('no values to summarise');
  const unit = powerOfTwoOf(Math.max(...values.map(Math.abs)));
  const scaled = values.map((value) => value / unit);
  const [first] = scaled;
  const mean = first + scaled.reduce((sum, value) => sum + (value - first), 0) / n;
  const squares = scaled.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean: mean * unit,
    deviation: n > 1 ? Math.sqrt(squares / (n - 1)) * unit : undefined,
    n,
  };
}

/**
 * Mean of the differences `own - other` over the seeds that both have, and only those: rows of one seed share initial
 * weights, order and subsets, so what these do to both cancels. Undefined if they share no seed.
 */
export function compare(own: BySeed, other: BySeed): Difference | undefined {
  const pairs = [...own].flatMap(([seed, value]) => {
    const reference = other.get(seed);
    return reference === undefined ? [] : [[value, reference] as const];
  });
  const differences = pairs.map(([a, b]) => a - b);
  if (pairs.length === 0 || !differences.every(Number.isFinite)) return undefined;
  const { mean, deviation, n } = summarise(differences);
  const rounding = roundingUnits * Number.EPSILON * Math.max(...pairs.flat().map(Math.abs));
  const snap = (value: number) => (Math.abs(value) <= rounding ? 0 : value);
  const none = { interval: undefined, p: undefined };
  if (deviation === undefined) return { mean: snap(mean), deviation, n, ...none };
  const [middle, spread] = [snap(mean), snap(deviation)];
  // Seeds that gain the same by chance, as numbers of steps do (a share of 64 codes), would pass for certainty.
  if (spread === 0 && middle !== 0) return { mean: middle, deviation: spread, n, ...none };
  const error = spread / Math.sqrt(n);
  const half = quantileOfT(0.975, n - 1) * error;
  return {
    mean: middle,
    deviation: spread,
    n,
    interval: [middle - half, middle + half],
    p: middle === 0 ? 1 : probabilityBeyond(middle / error, n - 1),
  };
}

/** The power of two at or just below a number: dividing by it is exact. */
function powerOfTwoOf(size: number): number {
  return size === 0 ? 1 : 2 ** Math.min(1023, Math.max(-1022, Math.floor(Math.log2(size))));
}
