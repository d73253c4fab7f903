import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildTable, formatValue, type InTable, readCells, type StageFunction } from 'peco-exp/kit';
import type { LatexTableConfig } from './config.ts';

/** A report gets every result of the table as an input; `config.table` says which is which. */
export const run: StageFunction<LatexTableConfig & InTable> = async ({ config, inputs, outDir }) => {
  const { caption, metrics, table } = config;
  const results = await readCells(table, inputs);
  const columns = metrics.map((metric) => ({
    metric,
    label: metric,
    scale: 1,
    digits: 3,
    better: 'higher' as const,
  }));
  const { columns: shown, rows } = buildTable(table, results, columns);
  const lines = [
    '\\begin{table}',
    `\\begin{tabular}{l${'r'.repeat(shown.length)}}`,
    line(['variant', ...shown.map(({ title }) => title)]),
    '\\hline',
    ...rows.map(({ variant, cells }) =>
      line([variant, ...cells.map((cell) => (cell ? formatValue(cell.mean, 3) : '--'))]),
    ),
    '\\end{tabular}',
    `\\caption{${escapeText(caption)}}`,
    '\\end{table}',
  ];
  await writeFile(path.join(outDir, 'ablation.tex'), `${lines.join('\n')}\n`);
  return {};
};

function line(cells: readonly string[]): string {
  return `${cells.map(escapeText).join(' & ')} \\\\`;
}

function escapeText(text: string): string {
  return text.replaceAll(/[&%$#_{}]/g, '\\$&');
}
