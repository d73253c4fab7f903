import { printable } from '../../framework/stage/text.ts';
import { formatSigned, formatValue } from '../format.ts';
import type { Report } from '../report.ts';
import { remarksOn } from '../results.ts';
import type { TableCell, TableColumn } from '../table.ts';
import type { Format } from './contract.ts';
import { latexText } from './latex-text.ts';

/** `ablation.tex`: a `tabular` for papers, with the rules of the package booktabs. */
export const latexFormat: Format = {
  name: 'latex',
  files: (report) => [{ name: 'ablation.tex', content: ablationLatex(report) }],
};

/** The table with the numbers of `ablation.md`; rows and columns in its order. */
export function ablationLatex({ config, table }: Pick<Report, 'config' | 'table'>): string {
  const { columns, rows } = table;
  const head = [
    'variant',
    ...columns.map(
      ({ title, better }) => `${latexText(title)} $\\${better === 'higher' ? 'up' : 'down'}arrow$`,
    ),
  ];
  const body = rows.map(({ variant, baseline, dropped, cells }) => [
    latexText(variant === baseline ? `${variant} (baseline)` : variant),
    ...cells.map((cell, index) => (cell ? cellText(cell, columns[index]) : dropped ? 'dropped' : '--')),
  ]);
  const lines = [
    `% ${commentText(config.experiment)}, by peco-exp: \\usepackage{booktabs}, and \\usepackage[T1]{fontenc} for pdfLaTeX`,
    '% mean and sample standard deviation over seeds (number of seeds); then the difference to the baseline, paired by seed',
    ...remarksOn(config).map((remark) => `% ${commentText(remark)}`),
    `\\begin{tabular}{l${'r'.repeat(columns.length)}}`,
    '\\toprule',
    rowOf(head),
    '\\midrule',
    ...body.map(rowOf),
    '\\bottomrule',
    '\\end{tabular}',
  ];
  return `${lines.join('\n')}\n`;
}

function rowOf(cells: readonly string[]): string {
  return `${cells.join(' & ')} \\\\`;
}

/** What follows the sign of a comment is not read up to the end of its line. */
function commentText(text: string): string {
  return printable(text);
}

function cellText(cell: TableCell, column: TableColumn): string {
  const { scale, digits } = column;
  const mean = latexText(formatValue(cell.mean * scale, digits));
  const value = `${cell.best ? `\\textbf{${mean}}` : mean}${spreadText(cell.deviation, column)} (${cell.n})`;
  if (!cell.difference) return value;
  const difference = latexText(formatSigned(cell.difference.mean * scale, digits));
  return `${value} {\\footnotesize ${difference}${spreadText(cell.difference.deviation, column)}}`;
}

function spreadText(deviation: number | undefined, { scale, digits }: TableColumn): string {
  return deviation === undefined ? '' : ` $\\pm$ ${latexText(formatValue(deviation * scale, digits))}`;
}
