import { stripVTControlCharacters } from 'node:util';
import { type Look, paint } from './look.ts';
import { cutMiddle, cutToWidth, padTo, widthOf, wrapWords } from './width.ts';

type Side = 'left' | 'right';

export interface TextTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Of each column. */
  readonly sides: readonly Side[];
}

/** Between two columns. */
const gap = 2;
/** What is left of names where they take too much. */
const shortestName = 16;

/**
 * Lines of a table that are no wider than a terminal. Where its columns don't fit beside each other, the head takes several
 * lines; then columns go below the others, each part with the names of the rows; and where not even one fits beside the
 * names, each row is a list. No row is broken.
 */
export function layTable(table: TextTable, look: Look, columns: number): string[] {
  const fitted = withShortNames(table, columns);
  const widths = fitted.head.map((_, column) => widthOfColumn(fitted, column));
  const parts = partsOf(widths, columns);
  if (parts === undefined) return layLists(table, look, columns);
  const natural = fitted.head.map((title, column) => Math.max(widths[column]!, widthOf(title)));
  const isWide = sumOf(natural) <= columns;
  return parts.flatMap((part, index) => [
    ...(index > 0 ? [''] : []),
    ...layPart(fitted, part, isWide ? natural : widths, look),
  ]);
}

/** The first column holds names. */
function withShortNames(table: TextTable, columns: number): TextTable {
  const { head, rows } = table;
  const others = Math.max(0, ...head.slice(1).map((_, index) => widthOfColumn(table, index + 1)));
  const room = Math.max(shortestName, columns - gap - others);
  const shorten = ([name = '', ...cells]: readonly string[]) => [
    widthOf(name) <= room ? name : cutMiddle(plain(name), room),
    ...cells,
  ];
  return { ...table, head: shorten(head), rows: rows.map(shorten) };
}

/** Of its cells and the longest word of its title. */
function widthOfColumn({ head, rows }: TextTable, column: number): number {
  const words = head[column]!.split(' ');
  return Math.max(...[...words, ...rows.map((row) => row[column]!)].map(widthOf));
}

function sumOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + gap * (widths.length - 1);
}

/** Columns that stand beside the names together, from left to right; undefined if one is too wide by itself. */
function partsOf([names = 0, ...widths]: readonly number[], columns: number): number[][] | undefined {
  if (widths.length === 0) return names <= columns ? [[0]] : undefined;
  const parts: number[][] = [];
  let left = -1;
  for (const [index, width] of widths.entries()) {
    left -= gap + width;
    if (left < 0) {
      left = columns - names - gap - width;
      if (left < 0) return undefined;
      parts.push([0]);
    }
    parts.at(-1)!.push(index + 1);
  }
  return parts;
}

function layPart(table: TextTable, part: readonly number[], widths: readonly number[], look: Look): string[] {
  const { head, rows, sides } = table;
  const titles = part.map((column) => wrapWords(head[column]!, widths[column]!));
  const height = Math.max(...titles.map((lines) => lines.length));
  const line = (cells: readonly string[]) =>
    part
      .map((column, place) => padTo(cells[place]!, widths[column]!, sides[column]))
      .join(' '.repeat(gap))
      .trimEnd();
  const titleLines = Array.from({ length: height }, (_, at) =>
    // What has fewer lines stands at the bottom, beside the rule.
    paint(line(titles.map((lines) => lines[at - height + lines.length] ?? '')), 'bold', look),
  );
  const rule = part.map((column) => '─'.repeat(widths[column]!)).join(' '.repeat(gap));
  return [...titleLines, rule, ...rows.map((row) => line(part.map((column) => row[column]!)))];
}

/** For each row its name, and below it a line a column. */
function layLists({ head, rows }: TextTable, look: Look, columns: number): string[] {
  const cut = (text: string) => (widthOf(text) <= columns ? text : cutToWidth(plain(text), columns));
  return rows.flatMap(([name = '', ...cells]) => [
    paint(cut(name), 'bold', look),
    ...cells.flatMap((cell, index) => {
      const one = `  ${head[index + 1]}  ${cell}`;
      if (widthOf(one) <= columns) return [one];
      return [`  ${head[index + 1]}`, ...wrapWords(`    ${cell}`, columns, '    ')].map(cut);
    }),
  ]);
}

function plain(text: string): string {
  return stripVTControlCharacters(text);
}
