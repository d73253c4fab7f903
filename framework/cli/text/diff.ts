import type { MetricDifference, Side, SideComparison, StageDifference } from '../../plan/compare.ts';
import { withoutSeed } from '../../plan/named.ts';
import { printable } from '../../stage/text.ts';
import { count } from './format.ts';
import { formatDifferences } from './why.ts';

const mostStages = 3;

/**
 * What `peco-exp diff` prints, in lines: first what was changed, each field once with the stages that have it; then what
 * that did to metrics, and to which stages.
 */
export function formatComparison(before: Side, after: Side, comparison: SideComparison): string[] {
  const { same, onlyBefore, onlyAfter, different } = comparison;
  // A report names all cells: what changes in it follows from the rest, but for its own options.
  const [reports, others] = partition(different, ({ stage }) => isReportIn(stage, after));
  const changed = others.filter((one) => ownFields(one).length > 0);
  const moved = others.filter((one) => ownFields(one).length === 0);
  return [
    `${before.name} -> ${after.name}: ${count(same, 'stage')} the same, ${different.length} different`,
    ...formatChanges(changed),
    ...formatMetrics(others),
    ...onlyBefore.map((stage) => `only in the first   ${stage}`),
    ...onlyAfter.map((stage) => `only in the second  ${stage}`),
    ...(moved.length > 0
      ? [`${count(moved.length, 'stage')} ${moved.length === 1 ? 'differs' : 'differ'} only in inputs`]
      : []),
    ...namesOf(moved.map(({ stage }) => stage)).map((name) => `  ${name}`),
    ...reports.flatMap((one) => [one.stage, ...formatDifferences(optionsOf(one))]),
  ];
}

function ownFields({ fields }: StageDifference): StageDifference['fields'] {
  return fields.filter(({ type }) => type !== 'upstream');
}

/** Fields of the report itself. */
function optionsOf({ fields }: StageDifference): StageDifference['fields'] {
  return fields.filter(({ type, input }) => input === undefined && type !== 'upstream');
}

function isReportIn(stage: string, { stages }: Side): boolean {
  return stages.get(stage)?.fingerprint.kind.startsWith('report/') ?? false;
}

/** A line a field: what several stages have in common stands there once. */
function formatChanges(changed: readonly StageDifference[]): string[] {
  const stagesOf = new Map<string, string[]>();
  for (const one of changed)
    for (const line of formatDifferences(ownFields(one)))
      stagesOf.set(line, [...(stagesOf.get(line) ?? []), one.stage]);
  return [...stagesOf].map(([line, stages]) => {
    const names = namesOf(stages);
    const more = names.length > mostStages ? ` and ${names.length - mostStages} more` : '';
    return `${line}  (${names.slice(0, mostStages).join(', ')}${more})`;
  });
}

function formatMetrics(different: readonly StageDifference[]): string[] {
  return different
    .filter(({ metrics }) => metrics.length > 0)
    .flatMap(({ stage, metrics }) => [stage, ...metrics.map(formatMetric)]);
}

/** Each once, without seeds. */
function namesOf(stages: readonly string[]): string[] {
  return [...new Set(stages.map(withoutSeed))];
}

function partition<T>(items: readonly T[], is: (item: T) => boolean): [T[], T[]] {
  return [items.filter(is), items.filter((item) => !is(item))];
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
