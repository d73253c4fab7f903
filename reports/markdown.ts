import type { StageInput } from '../framework/stage/contract.ts';
import { publishedResults } from './published.ts';
import type { CellResult, TableConfig } from './results.ts';
import type { AblationTable, TableCell, TableColumn } from './table.ts';

export interface MarkdownOptions {
  readonly config: TableConfig;
  readonly table: AblationTable;
  readonly results: readonly CellResult[];
  readonly inputs: { readonly [name: string]: StageInput };
  readonly published: boolean;
}

/** The table for people, and what one must know to read it. */
export function ablationMarkdown({ config, table, results, inputs, published }: MarkdownOptions): string {
  const { columns, rows, compared } = table;
  const header = ['variant', ...columns.map(columnTitle)];
  const body = rows.map(({ variant, baseline, stopped, cells }) => [
    plain(variant === baseline ? `${variant} (baseline)` : variant),
    ...cells.map((cell, index) => (cell ? cellText(cell, columns[index]) : stopped ? 'stopped' : '–')),
  ]);
  const lines = [
    `# ${plain(config.experiment)}`,
    '',
    ...markdownTable([header, ...body]),
    '',
    'Mean ± sample standard deviation over seeds (n), and the difference to the baseline; bold: best of the column.',
    ...(compared ? comparedLines(table) : []),
    ...missingLines(config),
    '',
    ...facts(config, results, inputs),
  ];
  if (published) lines.push('', ...publishedLines());
  return `${lines.join('\n')}\n`;
}

/** Where there are several baselines, a difference says little without the name of the other row. */
function comparedLines({ rows }: AblationTable): string[] {
  const others = rows.filter(({ variant, baseline }) => baseline !== variant);
  const lines = others.flatMap(({ variant, baseline }) =>
    baseline === null ? [] : [`- ${plain(`${variant}: compared with ${baseline}`)}.`],
  );
  const alone = others.filter(({ baseline }) => baseline === null).map(({ variant }) => variant);
  if (alone.length > 0)
    lines.push(`- ${plain(alone.join(', '))}: no difference, as the sweep has several baselines for it.`);
  return [
    '',
    'The sweep changes the baseline, so each row is compared with that of the same point:',
    '',
    ...lines,
  ];
}

/** A line a reason; a row of which all cells were stopped is one line. */
function missingLines({ missing }: TableConfig): string[] {
  const stopped = new Map(missing.flatMap((cell) => (cell.stopped ? [[cell.variant, cell.reason]] : [])));
  const others = missing.filter((cell) => !cell.stopped);
  return [
    ...others.map(
      ({ variant, task, seed, reason }) =>
        `Missing: ${plain(`${variant}, ${task}, seed ${seed}: ${reason}`)}.`,
    ),
    ...(stopped.size > 0 ? ['', 'Rows that the sweep stopped early:', ''] : []),
    ...[...stopped].map(([variant, reason]) => `- ${plain(`${variant}: ${reason}`)}.`),
  ];
}

function columnTitle({ task, label, better }: TableColumn): string {
  const subject = task === 'tokenizer' ? label : `${task} ${label}`;
  return `${plain(subject)} ${better === 'higher' ? '↑' : '↓'}`;
}

function cellText(cell: TableCell, { digits }: TableColumn): string {
  const mean = cell.mean.toFixed(digits);
  const spread = cell.deviation === undefined ? '' : ` ± ${cell.deviation.toFixed(digits)}`;
  const value = `${cell.best ? `**${mean}**` : mean}${spread} (${cell.n})`;
  if (cell.difference === undefined) return value;
  return `${value} ${signed(cell.difference, digits)}`;
}

function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? `±${text}` : `${value < 0 ? '−' : '+'}${text}`;
}

/** Columns padded to one width, numbers to the right, so that the file reads well as text too. */
function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(3, ...rows.map((row) => [...row[i]].length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(rows[0]), rule, ...rows.slice(1).map(line)];
}

/** What was used: read from the stages themselves, so that it can't disagree with them. */
function facts(
  config: TableConfig,
  results: readonly CellResult[],
  inputs: { readonly [name: string]: StageInput },
): string[] {
  const all = Object.values(inputs);
  const data = new Set(
    all.flatMap(({ inputs: own }) => [own.train, own.test].flatMap((leaf) => (leaf ? describe(leaf) : []))),
  );
  const engines = new Set(results.map(({ engine }) => engine));
  const images = new Set(
    results.flatMap(({ task, metrics }) =>
      'images' in metrics ? `${task} ${metrics.images.toLocaleString('en-US')}` : [],
    ),
  );
  const seeds = [...new Set(config.cells.filter(({ task }) => task !== 'tokenizer').map(({ seed }) => seed))];
  const evaluated = new Map(
    config.cells.filter(({ task }) => task === 'tokenizer').map(({ variant, input }) => [variant, input]),
  );
  const networks = config.variants.flatMap((variant) => perceptualLine(variant, evaluated, inputs));
  return [
    `- Data: ${[...data].join('; ')}.`,
    `- Test images: ${[...images].join(', ')}.`,
    `- Seeds: ${seeds.join(', ')}; a tokenizer is trained once and serves all seeds of its variant, so its n is 1.`,
    `- Engine: ${[...engines].join(', ')}.`,
    ...networks,
  ];
}

function describe({ kind, config }: StageInput): string {
  const { split, range } = config as { split?: string; range?: readonly number[] };
  return [kind, split, range ? `[${range.join(', ')})` : undefined]
    .filter((part) => part !== undefined)
    .join(' ');
}

function perceptualLine(
  variant: string,
  evaluated: ReadonlyMap<string, string>,
  inputs: { readonly [name: string]: StageInput },
): string[] {
  const input = evaluated.get(variant);
  const tokenizer = input === undefined ? undefined : inputs[input].inputs.tokenizer;
  if (!tokenizer) return [];
  const { loss } = tokenizer.config as {
    loss?: { perceptual?: { layers: readonly string[]; weight: number } };
  };
  const perceptual = loss?.perceptual;
  const how = perceptual
    ? `perceptual loss on ${tokenizer.inputs.network?.kind ?? 'a network'} layers ${perceptual.layers.join(', ')}, weight ${perceptual.weight}`
    : 'pixel loss only';
  return [`- Tokenizer of ${plain(variant)}: ${tokenizer.kind}, ${how}.`];
}

function publishedLines(): string[] {
  return [
    'Published results, for orientation only: other data, other size, not comparable with the table.',
    '',
    ...publishedResults.map(
      ({ method, setting, top1, source }) => `- ${method}: top-1 ${top1} % (${setting}; ${source}).`,
    ),
  ];
}

function plain(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
