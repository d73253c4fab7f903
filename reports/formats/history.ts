import { formatCsv } from '../../framework/stage/csv.ts';
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
    const head = ['stage', 'kind', 'seed', ...names, ...changed.map(() => 'changed')];
    const end = changed.map((text) => `,${fieldText(text)}`).join('');
    const lines = stages.flatMap(({ id, kind, seed, history }) => {
      const start = [id, kind, seed].map(fieldText).join();
      return history.map((row) => `${[start, ...names.map((name) => fieldText(row[name]))].join()}${end}\n`);
    });
    return [{ name: 'history.csv', content: formatCsv([head]) + lines.join('') }];
  },
};

/** As `formatCsv` writes it. Most are numbers, and for those it takes many times as long. */
function fieldText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  return formatCsv([[typeof value === 'string' ? value : JSON.stringify(value)]]).slice(0, -1);
}
