import type { MetricDifference, Side, SideComparison, StageDifference } from '../../plan/compare.ts';
import { printable } from '../../stage/text.ts';
import { count } from './format.ts';
import { formatDifferences } from './why.ts';

/** What `peco-exp diff` prints, in lines. */
export function formatComparison(before: Side, after: Side, comparison: SideComparison): string[] {
  const { same, onlyBefore, onlyAfter, different } = comparison;
  const isOwn = ({ fields, metrics }: StageDifference) =>
    metrics.length > 0 || fields.some(({ type }) => type !== 'upstream');
  const downstream = different.filter((one) => !isOwn(one));
  return [
    `${before.name} -> ${after.name}: ${count(same, 'stage')} the same, ${different.length} different`,
    ...onlyBefore.map((stage) => `only in the first   ${stage}`),
    ...onlyAfter.map((stage) => `only in the second  ${stage}`),
    ...different
      .filter(isOwn)
      .flatMap(({ stage, fields, metrics }) => [
        stage,
        ...formatDifferences(fields),
        ...metrics.map(formatMetric),
      ]),
    ...(downstream.length > 0
      ? [
          `${count(downstream.length, 'stage')} ${downstream.length === 1 ? 'differs' : 'differ'} only in inputs`,
          ...downstream.map(({ stage }) => `  ${stage}`),
        ]
      : []),
  ];
}

function formatMetric({ metric, before, after }: MetricDifference): string {
  const change =
    before === undefined || after === undefined
      ? ''
      : ` (${after < before ? '' : '+'}${short(after - before)})`;
  return `  metric    ${printable(metric)}: ${short(before)} -> ${short(after)}${change}`;
}

/** Six significant digits: enough to tell runs apart, short enough to read. */
function short(value: number | undefined): string {
  return value === undefined ? '(absent)' : String(Number(value.toPrecision(6)));
}
