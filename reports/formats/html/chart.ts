/** What the page and its script in the browser share: it imports nothing. */

/** A metric over the steps of the stages of a group, a line for each family; null where it has no value. */
export interface Chart {
  readonly group: string;
  readonly metric: string;
  /** What it is called on the page; absent: as the metric. */
  readonly title?: string;
  /** Steps, rising; or what `unit` says. */
  readonly x: readonly number[];
  /** What `x` counts, in the singular; absent: steps. */
  readonly unit?: string;
  /** Values are above 0 and drawn on a logarithmic axis. */
  readonly logarithmic?: boolean;
  readonly series: readonly Curve[];
}

/** The mean over seeds and, where several have a value, the least and the largest. */
export interface Curve {
  readonly label: string;
  /** The same number in every chart: eight colours, then dashes. */
  readonly colour: number;
  readonly mean: readonly (number | null)[];
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
}

/** Where in a chart: `at step 120`. */
export function placeIn({ x, unit = 'step' }: Chart, index: number): string {
  return `at ${unit} ${x[index]}`;
}

/** Where the last values of all lines are: `at step 120`, unless some end earlier. */
export function endIn(chart: Chart): string {
  const isSame = chart.series.every(({ mean }) => typeof mean.at(-1) === 'number');
  return isSame ? placeIn(chart, chart.x.length - 1) : 'where each line ends';
}

/** The last value of a curve. */
export function lastOf({ mean }: Curve): number | undefined {
  return mean.findLast((value) => value !== null) ?? undefined;
}

/** A value of a curve, as short as it can be read; on the page, and in the browser when the step changes. */
export function curveValue(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** A number beside an axis: six characters or so, for which the axis has room. */
export function axisValue(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-3 && size < 1e5)) return String(Number(value.toPrecision(6)));
  return Number(value.toPrecision(6)).toExponential().replace('e+', 'e');
}
