import { captionOf, countText, pairsText, pictureTitle, seedsOf, shownImages } from '../caption.ts';
import { changeLists } from '../changes.ts';
import type { TableCell } from '../column.ts';
import type { Published } from '../comparable.ts';
import { formatEnds, formatSigned, formatSpread, formatValue } from '../format.ts';
import { publishedCell, publishedHead, publishedName, publishedSentences } from '../published-text.ts';
import type { Report } from '../report.ts';
import type { TableConfig } from '../results.ts';
import type { AblationTable, TableColumn } from '../table.ts';
import type { Format } from './contract.ts';
import { markdownTable, plain } from './markdown-text.ts';

/** `ablation.md`: the first file that a run shows. */
export const markdownFormat: Format = {
  name: 'markdown',
  files: (report) => [{ name: 'ablation.md', content: ablationMarkdown(report) }],
};

type MarkdownOptions = Pick<
  Report,
  'config' | 'shown' | 'table' | 'warnings' | 'facts' | 'published' | 'pictures'
>;

/** The table for people, and what one must know to read it. */
export function ablationMarkdown(report: MarkdownOptions): string {
  const { config, shown, table, warnings, facts, published, pictures } = report;
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
    ...changeLists(config, shown).flatMap(({ head, lines }) => [
      [head],
      lines.map((line) => `- ${plain(line)}`),
    ]),
    markdownTable([header, ...body, ...publishedRows(published, table)]),
    captionOf(table, 'instead').map(plain),
    warnings.map(({ text }) => `**Warning:** ${plain(text)}.`),
    ...comparedBlocks(table),
    ...missingBlocks(config),
    listOf([...facts, ...columnFacts(table, config)]),
    listOf(publishedSentences(published, table)),
    ...[...pictures.keys()].map((file) => [
      `![${plain(pictureTitle(file, seedsOf(config)))}](${encodeURIComponent(file)})`,
    ]),
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

/** Cells without a number that are named: of a large sweep that has just begun they are thousands. */
const mostMissing = 20;

/** A line a reason; a row of which all cells were dropped is one line. */
function missingBlocks({ missing }: TableConfig): string[][] {
  const dropped = new Map(missing.flatMap((cell) => (cell.dropped ? [[cell.variant, cell.reason]] : [])));
  const others = missing.filter((cell) => !cell.dropped);
  const named = others.length > mostMissing + 1 ? others.slice(0, mostMissing) : others;
  const more = others.length - named.length;
  return [
    listOf([
      ...named.map(
        ({ variant, task, seed, reason }) => `Missing: ${variant}, ${task}, seed ${seed}: ${reason}`,
      ),
      ...(more > 0 ? [`Missing: ${more.toLocaleString('en-US')} more cells; report.json names all`] : []),
    ]),
    ...(dropped.size > 0 ? [['Rows that the sweep dropped:']] : []),
    listOf([...dropped].map(([variant, reason]) => `Row ${variant}: ${reason}`)),
  ];
}

/** What is shown in another unit than in the CSV files, and what no task has, or none of those with results. */
function columnFacts({ columns, unmeasured }: AblationTable, { missing }: TableConfig): string[] {
  const scaled = columns.filter(({ scale }) => scale !== 1);
  const units = new Set(scaled.map(({ label, metric, scale }) => `${label} is ${metric} times ${scale}`));
  const absent = unmeasured.map(({ label, metric }) => `${label} (${metric})`);
  const head = missing.some(({ dropped }) => !dropped) ? 'No result so far has' : 'No task measures';
  return [
    ...(units.size > 0
      ? [`Units: ${[...units].join('; ')}; ablation.csv and results.csv have the metrics themselves`]
      : []),
    ...(absent.length > 0 ? [`${head}: ${absent.join(', ')}`] : []),
  ];
}

function cellText(cell: TableCell, column: TableColumn): string {
  const { scale, digits } = column;
  const mean = formatValue(cell.mean * scale, digits);
  const value = `${cell.best ? `**${mean}**` : mean}${formatSpread(cell.deviation, column)} (${plain(countText(cell))})`;
  const { difference } = cell;
  if (!difference) return value;
  const images = shownImages(cell, 'instead');
  return [
    value,
    `${formatSigned(difference.mean * scale, digits)}${difference.significant ? '*' : ''}`,
    ...(difference.interval ? [`[${formatEnds(difference.interval, column)}]`] : []),
    ...(images ? [`{${formatEnds(images, column)}}`] : []),
    ...(difference.n < cell.n ? [`(${pairsText(cell)})`] : []),
  ].join(' ');
}

function listOf(lines: readonly string[]): string[] {
  return lines.map((line) => `- ${plain(line)}.`);
}

/** Rows of papers beneath one that says what they are: markdown has no rule within a table. */
function publishedRows({ rows }: Published, { columns }: AblationTable): string[][] {
  if (rows.length === 0) return [];
  return [
    [`*${publishedHead}*`, ...columns.map(() => '')],
    ...rows.map((row) => [
      plain(publishedName(row)),
      ...row.cells.map((number, place) => publishedCell(number, columns[place]) ?? '–'),
    ]),
  ];
}
