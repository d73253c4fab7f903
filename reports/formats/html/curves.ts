import type { FullReport, HistoryRow } from '../../report.ts';
import type { Chart, Curve } from './chart.ts';
import type { Family } from './families.ts';

/** Steps that a curve shows: more can't be told apart at the width of a page. */
const mostSteps = 300;

/** All that stages logged, by group and metric, in the order of the stages. */
export function chartsOf(families: readonly Family[]): readonly Chart[] {
  const groups = new Map<string, Family[]>();
  for (const family of families) groups.set(family.group, [...(groups.get(family.group) ?? []), family]);
  return [...groups].flatMap(([group, members]) => {
    const rows = members.flatMap(({ stages }) => stages.flatMap(({ history }) => history));
    const metrics = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(
      (metric) => metric !== 'step',
    );
    return metrics.flatMap((metric) => chartOf(group, metric, members) ?? []);
  });
}

function chartOf(group: string, metric: string, members: readonly Family[]): Chart | undefined {
  const curves = members.flatMap(({ label, stages }) => {
    const seeds = stages.map(({ history }) => pointsOf(history, metric)).filter((points) => points.size > 0);
    return seeds.length === 0 ? [] : [{ label, seeds, steps: thinned(seeds) }];
  });
  const x = [...new Set(curves.flatMap(({ steps }) => steps))].sort((a, b) => a - b);
  // A single value is no curve; it is in the table if it matters.
  if (x.length < 2) return undefined;
  return {
    group,
    metric,
    x,
    series: curves.map(({ label, seeds, steps }) => curveOf(label, seeds, steps, x)),
  };
}

/** Finite values by step. */
function pointsOf(history: readonly HistoryRow[], metric: string): ReadonlyMap<number, number> {
  return new Map(
    history.flatMap((row) => {
      const [step, value] = [row.step, Object.hasOwn(row, metric) ? row[metric] : undefined];
      const isPoint = typeof step === 'number' && typeof value === 'number' && Number.isFinite(value);
      return isPoint ? [[step, value] as const] : [];
    }),
  );
}

/** The steps of all seeds, every so many of them, and the last. */
function thinned(seeds: readonly ReadonlyMap<number, number>[]): readonly number[] {
  const steps = [...new Set(seeds.flatMap((points) => [...points.keys()]))].sort((a, b) => a - b);
  const stride = Math.ceil(steps.length / mostSteps);
  return steps.filter((_, index) => (steps.length - 1 - index) % stride === 0);
}

function curveOf(
  label: string,
  seeds: readonly ReadonlyMap<number, number>[],
  steps: readonly number[],
  x: readonly number[],
): Curve {
  const own = new Set(steps);
  const at = x.map((step) => (own.has(step) ? seeds.flatMap((points) => points.get(step) ?? []) : []));
  const of = (number: (values: readonly number[]) => number) =>
    at.map((values) => (values.length === 0 ? null : rounded(number(values))));
  const mean = of((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  if (seeds.length === 1) return { label, mean };
  return { label, mean, low: of((values) => Math.min(...values)), high: of((values) => Math.max(...values)) };
}

/** More digits than a curve can show only make the file larger. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

/** The last value of a curve. */
export function lastOf({ mean }: Curve): number | undefined {
  return mean.findLast((value) => value !== null) ?? undefined;
}

/** Whether some curve leaves logged values out. */
export function isThinned(stages: FullReport['stages']): boolean {
  return stages.some(({ history }) => history.length > mostSteps);
}
