import { type CsvValue, formatCsv } from '../../framework/stage/csv.ts';
import { remarksOn } from '../results.ts';
import type { FullFormat } from './contract.ts';
import { changedColumn } from './csv.ts';

/**
 * `history.csv`: what stages logged while they ran, a line a step. The columns after `seed` are all that any stage logs, in
 * the order in which they are first logged; a field is empty where a stage doesn't log it.
 */
export const historyFormat: FullFormat = {
  name: 'history',
  files({ config, stages }) {
    const changed = changedColumn(remarksOn(config));
    const names = [...new Set(stages.flatMap(({ history }) => history.flatMap((row) => Object.keys(row))))];
    const rows = stages.flatMap(({ id, kind, seed, history }) =>
      history.map((row) => [id, kind, seed, ...names.map((name) => fieldOf(row[name])), ...changed]),
    );
    const head = ['stage', 'kind', 'seed', ...names, ...changed.map(() => 'changed')];
    return [{ name: 'history.csv', content: formatCsv([head, ...rows]) }];
  },
};

function fieldOf(value: unknown): CsvValue {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value);
}
