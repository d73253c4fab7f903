import { bootstrapMean, type ImageNoise, noiseOfDraws } from './bootstrap.ts';
import type { Column } from './config.ts';
import { shownValue } from './format.ts';
import { holm } from './holm.ts';
import { type BySeed, compare, type Difference, type Summary, summarise } from './statistics.ts';

/** A corrected p value below this is beyond the noise. */
export const significance = 0.05;

/** A difference to the baseline, and what of it may be noise. */
export interface TableDifference extends Difference {
  /** Noise of the test images alone; undefined where stages didn't store a value for each of the same images. */
  readonly images: ImageNoise | undefined;
  /**
   * The p value over seeds or over images, whichever is larger, corrected by Holm over the rows of the column; undefined
   * without a spread over seeds.
   */
  readonly corrected: number | undefined;
  /** `corrected` is below 0.05: neither other seeds nor other test images explain the difference. */
  readonly significant: boolean;
}

/** Values as stages reported them, not scaled. */
export interface TableCell extends Summary {
  /**
   * Stages that ran once for all seeds of this cell. If there are any, here or in the baseline's cell, the
   * difference has no deviation: the spread that is left says nothing about another run of the whole chain.
   */
  readonly shared: readonly string[];
  /** To the baseline; undefined in the baseline's row, and where the two rows share no seed. */
  readonly difference: TableDifference | undefined;
  /** Best of the column as shown, and beyond the noise. */
  readonly best: boolean;
}

/** A number of a stage, and by what the noise of its test images can be told. */
export interface SeedValue {
  readonly value: number;
  readonly noise?: StoredNoise | undefined;
  /** Names the test data: only values for images of the same data can be paired. */
  readonly test?: string | undefined;
}

/** A value for each test image, whose mean the number is, or one for each of the test sets that were drawn from the images. */
export interface StoredNoise {
  /** `images`, or which test sets they are. */
  readonly of: string;
  /** Test images. */
  readonly images: number;
  readonly values: readonly number[];
}

/** Values of one metric of a row by seed, in rising order. */
export type SeedValues = ReadonlyMap<number, SeedValue>;

/** Values of one column by variant. */
export type Rows = ReadonlyMap<string, SeedValues>;

/** What a column knows of its rows beside their values. */
export interface RowFacts {
  /** The row that a row is compared with: itself for a baseline, null where there is no single one. */
  readonly baselineOf: (variant: string) => string | null;
  /** Stages that ran once for all seeds of a row. */
  readonly sharedBy: (variant: string) => readonly string[];
}

/** The cells of one column by variant; none where nothing was measured. */
export function makeColumn(column: Column, rows: Rows, facts: RowFacts): ReadonlyMap<string, TableCell> {
  const plain = [...rows].map(([variant, values]) => {
    const shared = facts.sharedBy(variant);
    const summary = withoutSpread(summarise([...numbersOf(values).values()]), shared);
    return { variant, summary, shared, difference: differenceOf(variant, rows, facts) };
  });
  const differences = correct(plain.map(({ difference }) => difference));
  const cells = plain.map(({ variant, summary, shared }, index) => {
    return [variant, { ...summary, shared, difference: differences[index], best: false }] as const;
  });
  const best = bestOf(column, rows, new Map(cells), facts);
  return new Map(cells.map(([variant, cell]) => [variant, { ...cell, best: best.has(variant) }]));
}

type Uncorrected = Omit<TableDifference, 'corrected' | 'significant'>;

function differenceOf(
  variant: string,
  rows: Rows,
  { baselineOf, sharedBy }: RowFacts,
): Uncorrected | undefined {
  const baseline = baselineOf(variant);
  const [own, other] = [rows.get(variant), baseline === null ? undefined : rows.get(baseline)];
  if (baseline === null || baseline === variant || own === undefined || other === undefined) return undefined;
  const difference = compare(numbersOf(own), numbersOf(other));
  if (difference === undefined) return undefined;
  const images = imageNoise(own, other);
  const shared = [...sharedBy(variant), ...sharedBy(baseline)];
  if (shared.length === 0) return { ...difference, images };
  return { ...withoutSpread(difference, shared), interval: undefined, p: undefined, images };
}

/**
 * Of the mean difference over the seeds that both rows have. Undefined unless all of them stored the same, of the same test
 * images: all a value for each image, or all one for each of the same drawn test sets.
 */
function imageNoise(own: SeedValues, other: SeedValues): ImageNoise | undefined {
  const pairs = [...own].flatMap(([seed, value]) => {
    const reference = other.get(seed);
    return reference === undefined ? [] : [[value, reference] as const];
  });
  const first = pairs[0]?.[0];
  if (first?.noise === undefined) return undefined;
  const { of, images, values } = first.noise;
  const isAlike = ({ test, noise }: SeedValue) =>
    noise?.of === of &&
    noise.images === images &&
    noise.values.length === values.length &&
    test === first.test;
  if (values.length === 0 || !pairs.every((pair) => pair.every(isAlike))) return undefined;
  const sums = new Float64Array(values.length);
  for (const [a, b] of pairs)
    for (let index = 0; index < sums.length; index++)
      sums[index] += a.noise!.values[index] - b.noise!.values[index];
  const means = sums.map((sum) => sum / pairs.length);
  return of === 'images' ? bootstrapMean(means) : noiseOfDraws(means, images);
}

/** With p values that are corrected for the number of rows that were tested. */
function correct(differences: readonly (Uncorrected | undefined)[]): (TableDifference | undefined)[] {
  const known = differences.map((difference) =>
    difference?.p === undefined ? undefined : Math.max(difference.p, difference.images?.p ?? 0),
  );
  const corrected = holm(known.filter((p) => p !== undefined));
  let next = 0;
  return differences.map((difference, index) => {
    const p = known[index] === undefined ? undefined : corrected[next++];
    return difference && { ...difference, corrected: p, significant: p !== undefined && p < significance };
  });
}

/**
 * The best rows of a column by the numbers that people see, so that equal ones are marked alike; among those that have
 * all seeds of the column. Of these only rows whose difference to the baseline is beyond the noise; a baseline if those of
 * all rows that are compared with it are.
 */
function bestOf(
  column: Column,
  rows: Rows,
  cells: ReadonlyMap<string, TableCell>,
  { baselineOf }: RowFacts,
): ReadonlySet<string> {
  const sign = column.better === 'higher' ? 1 : -1;
  /** Beyond the noise, and above the baseline (1) or below it (-1). */
  const isBeyond = (variant: string, direction: 1 | -1) => {
    const { mean = 0, significant = false } = cells.get(variant)?.difference ?? {};
    return significant && mean * sign * direction > 0;
  };
  const compared = (baseline: string) =>
    [...cells.keys()].filter((variant) => variant !== baseline && baselineOf(variant) === baseline);
  const best = largestOf(column, rows).filter((variant) => {
    if (baselineOf(variant) !== variant) return isBeyond(variant, 1);
    const others = compared(variant);
    return others.length > 0 && others.every((other) => isBeyond(other, -1));
  });
  return new Set(best);
}

/** None where fewer than two rows have all seeds, or where all are equal: then nothing was beaten. */
function largestOf({ scale, digits, better }: Column, rows: Rows): readonly string[] {
  const seeds = new Set([...rows.values()].flatMap((values) => [...values.keys()]));
  const whole = [...rows].filter(([, values]) => values.size === seeds.size);
  const shown = new Map(
    whole.map(([variant, values]) => [
      variant,
      shownValue(summarise([...numbersOf(values).values()]).mean * scale, digits),
    ]),
  );
  const best = better === 'higher' ? Math.max(...shown.values()) : Math.min(...shown.values());
  const winners = [...shown].filter(([, value]) => value === best).map(([variant]) => variant);
  return winners.length === shown.size ? [] : winners;
}

function numbersOf(values: SeedValues): BySeed {
  return new Map([...values].map(([seed, { value }]) => [seed, value]));
}

function withoutSpread({ mean, deviation, n }: Summary, shared: readonly string[]): Summary {
  return { mean, deviation: shared.length > 0 ? undefined : deviation, n };
}
