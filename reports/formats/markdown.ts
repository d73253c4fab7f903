import { formatSigned, formatValue } from '../format.ts';
import type { PublishedResult } from '../published.ts';
import type { Report } from '../report.ts';
import type { TableConfig } from '../results.ts';
import type { AblationTable, TableCell, TableColumn } from '../table.ts';
import type { Format } from './contract.ts';
import { markdownTable, plain } from './markdown-text.ts';

/** `ablation.md`: the first file that a run shows. */
export const markdownFormat: Format = {
  name: 'markdown',
  files: (report) => [{ name: 'ablation.md', content: ablationMarkdown(report) }],
};

type MarkdownOptions = Pick<Report, 'config' | 'table' | 'facts' | 'published'>;

/** The table for people, and what one must know to read it. */
export function ablationMarkdown({ config, table, facts, published }: MarkdownOptions): string {
  const { columns, rows } = table;
  const header = [
    'variant',
    ...columns.map(({ title, better }) => `${plain(title)} ${better === 'higher' ? '↑' : '↓'}`),
  ];
  const body = rows.map(({ variant, baseline, dropped, cells }) => [
    plain(variant === baseline ? `${variant} (baseline)` : variant),
    ...cells.map((cell, index) => (cell ? cellText(cell, columns[index]) : dropped ? 'dropped' : '–')),
  ]);
  const blocks = [
    [`# ${plain(config.experiment)}${config.smoke ? ': smoke run' : ''}`],
    ...(config.smoke ? smokeBlocks() : []),
    ...changedBlocks(config),
    markdownTable([header, ...body]),
    captionLines(table),
    ...comparedBlocks(table),
    ...missingBlocks(config),
    listOf([...facts, ...columnFacts(table)]),
    ...publishedBlocks(published),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** So that no one takes the numbers for results. */
function smokeBlocks(): string[][] {
  return [
    [
      '**The numbers mean nothing.** Every component has the smallest size that it declares itself: this shows that the experiment runs, and how its table looks.',
    ],
  ];
}

/** A table of a changed experiment says so above everything else. */
function changedBlocks({ changes = [] }: TableConfig): string[][] {
  if (changes.length === 0) return [];
  return [
    ['Not the experiment as its file declares it. Changed by flags of this run:'],
    changes.map((line) => `- ${plain(line)}`),
  ];
}

/** How to read a cell. */
function captionLines({ rows }: AblationTable): string[] {
  const cells = rows.flatMap((row) => row.cells.flatMap((cell) => cell ?? []));
  const lines = ['Mean ± sample standard deviation over seeds (number of seeds).'];
  const partial = cells.find(({ n, difference }) => difference && difference.n < n);
  if (cells.some(({ difference }) => difference)) {
    const some = partial
      ? `; (${pairsText(partial)}): only so many of its seeds are in the baseline's row too`
      : '';
    lines.push(
      `After it the difference to the baseline: mean ± sample standard deviation of the differences at equal seeds${some}.`,
    );
  }
  if (cells.some(({ best }) => best))
    lines.push('Bold: best of the column as printed, among rows with all seeds.');
  const sharing = cells.find((cell) => isSharing(cell));
  if (sharing) {
    lines.push(
      `(${countText(sharing)}): what is named last ran once for all of these seeds. A spread over them would not be that of the whole chain, so none is shown.`,
    );
  }
  return lines;
}

/** Where there are several baselines, a difference says little without the name of the other row. */
function comparedBlocks({ compared, rows }: AblationTable): string[][] {
  if (!compared) return [];
  const others = rows.filter(({ variant, baseline }) => baseline !== variant);
  const lines = others.flatMap(({ variant, baseline }) =>
    baseline === null ? [] : [`Row ${variant}: compared with ${baseline}`],
  );
  const alone = others.filter(({ baseline }) => baseline === null).map(({ variant }) => variant);
  if (alone.length > 0)
    lines.push(`Row ${alone.join(', ')}: no difference, as the sweep has several baselines for it`);
  return [
    ['The sweep changes the baseline, so each row is compared with that of the same point:'],
    listOf(lines),
  ];
}

/** A line a reason; a row of which all cells were dropped is one line. */
function missingBlocks({ missing }: TableConfig): string[][] {
  const dropped = new Map(missing.flatMap((cell) => (cell.dropped ? [[cell.variant, cell.reason]] : [])));
  const others = missing.filter((cell) => !cell.dropped);
  return [
    listOf(
      others.map(
        ({ variant, task, seed, reason }) => `Missing: ${variant}, ${task}, seed ${seed}: ${reason}`,
      ),
    ),
    ...(dropped.size > 0 ? [['Rows that the sweep dropped:']] : []),
    listOf([...dropped].map(([variant, reason]) => `Row ${variant}: ${reason}`)),
  ];
}

/** What is shown in another unit than in the CSV files, and what no task has. */
function columnFacts({ columns, unmeasured }: AblationTable): string[] {
  const scaled = columns.filter(({ scale }) => scale !== 1);
  const units = new Set(scaled.map(({ label, metric, scale }) => `${label} is ${metric} times ${scale}`));
  const absent = unmeasured.map(({ label, metric }) => `${label} (${metric})`);
  return [
    ...(units.size > 0
      ? [`Units: ${[...units].join('; ')}; ablation.csv and results.csv have the metrics themselves`]
      : []),
    ...(absent.length > 0 ? [`No task measures: ${absent.join(', ')}`] : []),
  ];
}

function cellText(cell: TableCell, column: TableColumn): string {
  const { scale, digits } = column;
  const mean = formatValue(cell.mean * scale, digits);
  const value = `${cell.best ? `**${mean}**` : mean}${spreadText(cell.deviation, column)} (${countText(cell)})`;
  if (!cell.difference) return value;
  const difference = formatSigned(cell.difference.mean * scale, digits);
  const pairs = cell.difference.n < cell.n ? ` (${pairsText(cell)})` : '';
  return `${value} ${difference}${spreadText(cell.difference.deviation, column)}${pairs}`;
}

/** On how many of its seeds a difference rests. */
function pairsText({ n, difference }: TableCell): string {
  return `${difference?.n} of ${n}`;
}

function spreadText(deviation: number | undefined, { scale, digits }: TableColumn): string {
  return deviation === undefined ? '' : ` ± ${formatValue(deviation * scale, digits)}`;
}

/** A single seed has no spread, whatever it shares. */
function isSharing({ n, shared }: TableCell): boolean {
  return n > 1 && shared.length > 0;
}

/** `2`, or `2 seeds, 1 tokenizer` where they share one. */
function countText(cell: TableCell): string {
  if (!isSharing(cell)) return String(cell.n);
  const kinds = cell.shared.map((stage) => stage.split('/')[0]);
  const counts = [...new Set(kinds)].map((kind) => {
    const many = kinds.filter((other) => other === kind).length;
    return `${many} ${kind}${many === 1 ? '' : 's'}`;
  });
  return plain([`${cell.n} seeds`, ...counts].join(', '));
}

function listOf(lines: readonly string[]): string[] {
  return lines.map((line) => `- ${plain(line)}.`);
}

function publishedBlocks(published: readonly PublishedResult[]): string[][] {
  if (published.length === 0) return [];
  return [
    [
      'Published results, for orientation only: comparable with the table where data, network and schedule are the same.',
    ],
    published.map(
      ({ method, setting, top1, source }) => `- ${method}: top-1 ${top1} % (${setting}; ${source}).`,
    ),
  ];
}
