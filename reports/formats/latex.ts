import { printable } from '../../framework/stage/text.ts';
import { captionOf, countText, pairsText, shownImages } from '../caption.ts';
import { remarksOn } from '../changes.ts';
import type { TableCell } from '../column.ts';
import type { PublishedRow } from '../comparable.ts';
import { formatEnds, formatSigned, formatSpread, formatValue } from '../format.ts';
import { publishedCell, publishedName, publishedSentences } from '../published-text.ts';
import type { Report } from '../report.ts';
import type { TableColumn } from '../table.ts';
import type { Format } from './contract.ts';
import { latexText } from './latex-text.ts';

/** `ablation.tex`: a `tabular` for papers, with the rules of the package booktabs. */
export const latexFormat: Format = {
  name: 'latex',
  files: (report) => [{ name: 'ablation.tex', content: ablationLatex(report) }],
};

/** The table with the numbers of `ablation.md`; rows and columns in its order. */
export function ablationLatex({
  config,
  table,
  warnings,
  published,
}: Pick<Report, 'config' | 'table' | 'warnings' | 'published'>): string {
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
    ...captionOf(table, 'instead').map((sentence) => `% ${commentText(sentence)}`),
    ...warnings.map(({ text }) => `% warning: ${commentText(text)}.`),
    ...publishedSentences(published, table).map((sentence) => `% ${commentText(sentence)}.`),
    ...remarksOn(config).map((remark) => `% ${commentText(remark)}`),
    `\\begin{tabular}{l${'r'.repeat(columns.length)}}`,
    '\\toprule',
    rowOf(head),
    '\\midrule',
    ...body.map(rowOf),
    ...(published.rows.length > 0 ? ['\\midrule'] : []),
    ...published.rows.map((row) => rowOf(publishedFields(row, columns))),
    '\\bottomrule',
    '\\end{tabular}',
  ];
  return `${lines.join('\n')}\n`;
}

function publishedFields(row: PublishedRow, columns: readonly TableColumn[]): string[] {
  const cells = row.cells.map((number, place) => publishedCell(number, columns[place]));
  return [publishedName(row), ...cells.map((cell) => cell ?? '–')].map(latexText);
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
  const value = `${cell.best ? `\\textbf{${mean}}` : mean}${latexText(formatSpread(cell.deviation, column))} (${latexText(countText(cell))})`;
  const { difference } = cell;
  if (!difference) return value;
  const images = shownImages(cell, 'instead');
  const parts = [
    `${formatSigned(difference.mean * scale, digits)}${difference.significant ? '*' : ''}`,
    ...(difference.interval ? [`[${formatEnds(difference.interval, column)}]`] : []),
    ...(images ? [`{${formatEnds(images, column)}}`] : []),
    ...(difference.n < cell.n ? [`(${pairsText(cell)})`] : []),
  ];
  return `${value} {\\footnotesize ${latexText(parts.join(' '))}}`;
}
