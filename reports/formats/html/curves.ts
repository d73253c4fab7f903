import { own } from '../../../framework/stage/own.ts';
import type { HistoryRow } from '../../report.ts';
import { thinned } from '../thin.ts';
import type { Chart, Curve } from './chart.ts';
import type { Family } from './families.ts';

/** Steps that a curve shows: more can't be told apart at the width of a page. */
const mostSteps = 300;
/** Points of a chart: with more lines each has fewer, or the page of a large sweep would be 100 MB. */
const mostPoints = 6000;
/** Steps that a curve has in any case. */
const leastSteps = 20;

/** @param lines of the chart, at most */
function stepsFor(lines: number): number {
  return Math.max(leastSteps, Math.min(mostSteps, Math.floor(mostPoints / lines)));
}

/** What metrics of this project's trainings are called, some of one kind alone; others are called as they are logged. */
const titles: ReadonlyMap<string, string> = new Map([
  ['pixel', 'pixel loss'],
  ['perceptual', 'perceptual loss'],
  ['commitment', 'commitment loss'],
  ['learningRate', 'learning rate'],
  ['gradientNorm', 'norm of the gradients, before clipping'],
  ['perplexity', 'perplexity of the codes of a batch'],
  ['codesUsed', 'share of the codes that a batch uses'],
  ['validation', 'score on training images that are held out (validation)'],
  ['masked-image-modelling accuracy', 'accuracy of masked tokens'],
  ['dvae usage', 'divergence from using all codes alike, in nats'],
]);

/** All that stages logged, by group and metric, in the order of the stages. */
export function chartsOf(families: readonly Family[]): readonly Chart[] {
  const groups = groupsOf(families);
  const colours = coloursOf(families);
  return [...groups].flatMap(([group, members]) => {
    const rows = members.flatMap(({ stages }) => stages.flatMap(({ history }) => history));
    const metrics = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(
      (metric) => metric !== 'step',
    );
    return metrics.flatMap((metric) => chartOf(group, metric, members, colours) ?? []);
  });
}

function groupsOf(families: readonly Family[]): ReadonlyMap<string, readonly Family[]> {
  const groups = new Map<string, Family[]>();
  for (const family of families) groups.set(family.group, [...(groups.get(family.group) ?? []), family]);
  return groups;
}

/** What is made for one row has one colour: `peco`, its pretraining `peco/base`, its tasks. Those of a group differ. */
export function coloursOf(families: readonly Family[]): ReadonlyMap<Family, number> {
  const numbers = new Map<string, number>();
  const colours = new Map<Family, number>();
  for (const members of groupsOf(families).values()) {
    const heads = members.map(({ label }) => label.split('/')[0]);
    for (const [index, family] of members.entries()) {
      const isAlone = heads.filter((head) => head === heads[index]).length === 1;
      const key = isAlone ? heads[index] : family.label;
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      colours.set(family, number);
    }
  }
  return colours;
}

function chartOf(
  group: string,
  metric: string,
  members: readonly Family[],
  colours: ReadonlyMap<Family, number>,
): Chart | undefined {
  const most = stepsFor(members.length);
  const curves = members.flatMap((family) => {
    const { label, stages } = family;
    const seeds = stages.map(({ history }) => pointsOf(history, metric)).filter((points) => points.size > 0);
    return seeds.length === 0
      ? []
      : [
          {
            label,
            kind: stages[0].kind,
            colour: colours.get(family) ?? 0,
            seeds,
            steps: stepsOf(seeds, most),
          },
        ];
  });
  const x = [...new Set(curves.flatMap(({ steps }) => steps))].sort((a, b) => a - b);
  // A single value is no curve; it is in the table if it matters.
  if (x.length < 2) return undefined;
  const title = titleOf(metric, new Set(curves.map(({ kind }) => kind)));
  return {
    ...{ group, metric, x },
    ...(title === undefined ? {} : { title }),
    series: curves.map(({ label, colour, seeds, steps }) => ({
      ...{ label, colour },
      ...curveOf(seeds, steps, x),
    })),
  };
}

/** @param kinds of the stages that log it: what a name means may depend on them */
function titleOf(metric: string, kinds: ReadonlySet<string>): string | undefined {
  const [kind] = kinds.size === 1 ? kinds : [];
  return titles.get(`${kind} ${metric}`) ?? titles.get(metric);
}

/** Finite values by step. */
function pointsOf(history: readonly HistoryRow[], metric: string): ReadonlyMap<number, number> {
  return new Map(
    history.flatMap((row) => {
      const [step, value] = [row.step, own(row, metric)];
      const isPoint = typeof step === 'number' && typeof value === 'number' && Number.isFinite(value);
      return isPoint ? [[step, value] as const] : [];
    }),
  );
}

/** The steps of all seeds, or every so many of them with the last. */
function stepsOf(seeds: readonly ReadonlyMap<number, number>[], most: number): readonly number[] {
  const steps = [...new Set(seeds.flatMap((points) => [...points.keys()]))].sort((a, b) => a - b);
  return thinned(steps, most);
}

function curveOf(
  seeds: readonly ReadonlyMap<number, number>[],
  steps: readonly number[],
  x: readonly number[],
): Pick<Curve, 'mean' | 'low' | 'high'> {
  const own = new Set(steps);
  const at = x.map((step) => (own.has(step) ? seeds.flatMap((points) => points.get(step) ?? []) : []));
  const of = (number: (values: readonly number[]) => number) =>
    at.map((values) => (values.length === 0 ? null : rounded(number(values))));
  const mean = of((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  if (seeds.length === 1) return { mean };
  return { mean, low: of((values) => Math.min(...values)), high: of((values) => Math.max(...values)) };
}

/** More digits than a curve can show only make the file larger. */
export function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

/** Whether some curve leaves logged values out. */
export function isThinned(families: readonly Family[]): boolean {
  return [...groupsOf(families).values()].some((members) => {
    const most = stepsFor(members.length);
    return members.some(({ stages }) => stages.some(({ history }) => history.length > most));
  });
}
