/** What a cell of the table says about the values of its seeds. */
export interface Summary {
  readonly mean: number;
  /** Sample standard deviation (divisor n - 1); undefined for a single value. */
  readonly deviation: number | undefined;
  readonly n: number;
}

/** @throws RangeError without values */
export function summarise(values: readonly number[]): Summary {
  const n = values.length;
  if (n === 0) throw new RangeError('no values to summarise');
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: n > 1 ? Math.sqrt(squares / (n - 1)) : undefined, n };
}
