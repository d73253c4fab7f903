import type { TableCell, TableDifference } from '../column.ts';
import type { Published } from '../comparable.ts';
import type { FullReport } from '../report.ts';
import type { AblationTable } from '../table.ts';
import type { FullFormat } from './contract.ts';
import type { ReportJson } from './json-schema.ts';

/** `report.json`, for programs; `docs/reference/report.schema.json` describes it. Histories are in `history.csv`. */
export const jsonFormat: FullFormat = {
  name: 'json',
  files: (report) => [{ name: 'report.json', content: `${JSON.stringify(reportJson(report), null, 2)}\n` }],
};

export function reportJson(report: FullReport): ReportJson {
  const { config, shown, table, results, warnings, published, facts, command, version } = report;
  return {
    what: 'report of peco-exp',
    format: 1,
    experiment: config.experiment,
    baseline: config.baseline,
    smoke: config.smoke ?? false,
    changes: [...(config.changes ?? []), ...shown],
    command: [...command],
    version,
    columns: table.columns.map(({ task, metric, title, scale, digits, better }) => ({
      ...{ task, metric, title, scale, digits, better },
    })),
    rows: table.rows.map(rowJson),
    missing: [...config.missing],
    values: results.map(({ variant, task, seed, engine, metrics }) => ({
      ...{ variant, task, seed, engine, metrics },
    })),
    warnings: warnings.flatMap(({ variants, text }) => variants.map((variant) => ({ variant, text }))),
    published: publishedJson(published),
    facts: [...facts],
    stages: report.stages.map(stageJson),
  };
}

function rowJson({ variant, baseline, dropped, cells }: AblationTable['rows'][number]) {
  return {
    variant,
    baseline,
    dropped: dropped ?? null,
    cells: cells.map((cell) => (cell ? cellJson(cell) : null)),
  };
}

function cellJson({ mean, deviation, n, best, shared, difference }: TableCell) {
  return {
    ...{ mean, deviation: deviation ?? null, n, best, shared: [...shared] },
    difference: difference ? differenceJson(difference) : null,
  };
}

function differenceJson({
  mean,
  deviation,
  n,
  interval,
  p,
  images,
  corrected,
  significant,
}: TableDifference) {
  const ends = ([low, high]: readonly [number, number]): [number, number] => [low, high];
  return {
    ...{ mean, deviation: deviation ?? null, n },
    ...{ interval: interval ? ends(interval) : null, p: p ?? null },
    images: images ? { ...images, interval: ends(images.interval) } : null,
    ...{ corrected: corrected ?? null, significant },
  };
}

function publishedJson({ rows, differences }: Published): ReportJson['published'] {
  return {
    rows: rows.map(({ method, epochs, cells }) => ({
      ...{ method, epochs },
      cells: cells.map((number) => (number ? { ...number } : null)),
    })),
    differences: differences.map(({ methods: [own, baseline], papers, ...difference }) => ({
      ...difference,
      methods: [own, baseline],
      papers: papers.map((paper) => ({ ...paper })),
    })),
  };
}

function stageJson(stage: FullReport['stages'][number]): ReportJson['stages'][number] {
  const { id, role, kind, seed, config, needs, cells, result, missing, dropped } = stage;
  return {
    ...{ id, role, kind, seed, config, needs: [...needs], cells: [...cells] },
    state: result ? 'stored' : dropped ? 'dropped' : 'missing',
    reason: missing ?? null,
    key: result?.key ?? null,
    provenance: result?.provenance ?? null,
  } as ReportJson['stages'][number];
}
