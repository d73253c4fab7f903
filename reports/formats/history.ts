import { formatCsv } from '../../framework/stage/csv.ts';
import { own } from '../../framework/stage/own.ts';
import { remarksOn } from '../changes.ts';
import type { HistoryRow, ShownStage } from '../report.ts';
import type { FullFormat } from './contract.ts';
import { changedColumn } from './csv.ts';
import { thinned } from './thin.ts';

/** Lines of the file, more or less: those of a sweep of hundreds of rows would be hundreds of megabytes. */
export const mostLines = 100_000;
/** Lines that each stage may have in any case. */
export const leastLines = 100;

/**
 * `history.csv`: what stages logged while they ran, a line a step. The columns after `seed` are all that any stage logs, in
 * the order in which they are first logged; a field is empty where a stage doesn't log it. Long histories of many stages are
 * thinned; see `shownHistories`.
 */
export const historyFormat: FullFormat = {
  name: 'history',
  files({ config, stages }) {
    const changed = changedColumn(remarksOn(config));
    const names = [...new Set(stages.flatMap(({ history }) => history.flatMap((row) => Object.keys(row))))];
    const head = ['stage', 'kind', 'seed', ...names, ...changed.map(() => 'changed')];
    const end = changed.map((text) => `,${fieldText(text)}`).join('');
    const lines = shownHistories(stages).flatMap(({ stage: { id, kind, seed }, rows }) => {
      const start = [id, kind, seed].map(fieldText).join();
      return rows.map(
        (row) => `${[start, ...names.map((name) => fieldText(own(row, name)))].join()}${end}\n`,
      );
    });
    return [{ name: 'history.csv', content: formatCsv([head]) + lines.join('') }];
  },
};

type Logging = Pick<ShownStage, 'history'>;

/**
 * The lines of each stage that logged some. Where all together are more than `mostLines`, each stage has an equal part of
 * these: of its lines that log the same names every so many, and the last. So a value that is logged now and then stays.
 */
export function shownHistories<S extends Logging>(
  stages: readonly S[],
): readonly { readonly stage: S; readonly rows: readonly HistoryRow[] }[] {
  const logging = stages.filter(({ history }) => history.length > 0);
  const isLong = isHistoryThinned(stages);
  const most = Math.max(leastLines, Math.floor(mostLines / logging.length));
  return logging.map((stage) => ({ stage, rows: isLong ? thinnedRows(stage.history, most) : stage.history }));
}

/** Whether `history.csv` leaves lines out. */
export function isHistoryThinned(stages: readonly Logging[]): boolean {
  return stages.reduce((sum, { history }) => sum + history.length, 0) > mostLines;
}

function thinnedRows(history: readonly HistoryRow[], most: number): readonly HistoryRow[] {
  if (history.length <= most) return history;
  const groups = new Map<string, HistoryRow[]>();
  for (const row of history) {
    const names = JSON.stringify(Object.keys(row));
    const group = groups.get(names) ?? [];
    groups.set(names, group);
    group.push(row);
  }
  const kept = new Set([...groups.values()].flatMap((rows) => thinned(rows, most)));
  return history.filter((row) => kept.has(row));
}

/** As `formatCsv` writes it. Most are numbers, and for those it takes many times as long. */
function fieldText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  return formatCsv([[typeof value === 'string' ? value : JSON.stringify(value)]]).slice(0, -1);
}
