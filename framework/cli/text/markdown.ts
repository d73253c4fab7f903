import { inCharacters, type Look, paint } from './look.ts';
import { layTable } from './table.ts';
import { wrapWords } from './width.ts';

/**
 * A report's markdown as a terminal shows it: tables that fit, headings and bold numbers in bold, text wrapped between
 * words. Without a terminal lines and tables stay as they are, but names are shown as they are and not as markdown writes them.
 */
export function showMarkdown(markdown: string, look: Look): string {
  const { columns } = look;
  if (columns === undefined) return markdown.split('\n').map(showPlainly).join('\n');
  // Before anything is measured: a sign may become two.
  const lines = inCharacters(markdown, look).split('\n');
  const shown: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const end = isRow(line) ? endOfTable(lines, at) : at;
    if (end - at >= 2) {
      shown.push(...showTable(lines.slice(at, end), look, columns));
      at = end - 1;
      // The files of a report are listed below it.
    } else if (!line.startsWith('![')) shown.push(...showLine(line, look, columns));
  }
  return shown.join('\n').replaceAll(/\n{3,}/g, '\n\n');
}

/** A line without a terminal; cells keep their width. */
function showPlainly(line: string): string {
  const show = (text: string) => showInline(text, { colour: false });
  if (!isRow(line)) return show(line);
  return line
    .split('|')
    .map((cell, index) => {
      const text = show(cell);
      return index === 1 ? text.padEnd(cell.length) : text.padStart(cell.length);
    })
    .join('|');
}

function isRow(line: string): boolean {
  return line.startsWith('|') && line.trimEnd().endsWith('|');
}

/** The place after its last row. */
function endOfTable(lines: readonly string[], from: number): number {
  const end = lines.findIndex((line, index) => index > from && !isRow(line));
  return end < 0 ? lines.length : end;
}

/** A head, a rule that says the sides, and rows. Bars within cells are entities. */
function showTable(lines: readonly string[], look: Look, columns: number): string[] {
  const [head, rule, ...body] = lines.map((line) =>
    line
      .trim()
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  ) as [string[], string[], ...string[][]];
  const sides = rule.map((cell) => (cell.endsWith(':') ? 'right' : 'left'));
  const rows = body.map((row) => row.map((cell) => showInline(cell, look)));
  return layTable({ head: head.map((cell) => showInline(cell, look)), rows, sides }, look, columns);
}

function showLine(line: string, look: Look, columns: number): string[] {
  const title = /^#+ (.*)$/.exec(line)?.[1];
  if (title !== undefined)
    return wrapWords(showInline(title, look), columns).map((one) => paint(one, 'bold', look));
  return wrapWords(showInline(line, look), columns, line.startsWith('- ') ? '  ' : '');
}

const entities: { readonly [name: string]: string } = { amp: '&', lt: '<', gt: '>', '#124': '|' };

/** Without the escapes of markdown; stars of bold text stay where there is no colour. */
function showInline(markdown: string, look: Pick<Look, 'colour'>): string {
  let isBold = false;
  return markdown.replaceAll(
    /\\([^\w\s])|&(amp|lt|gt|#124);|\*\*/g,
    (whole, escaped: string | undefined, entity: string | undefined) => {
      if (escaped !== undefined) return escaped;
      if (entity !== undefined) return entities[entity]!;
      if (!look.colour) return whole;
      isBold = !isBold;
      return isBold ? '\x1b[1m' : '\x1b[22m';
    },
  );
}
