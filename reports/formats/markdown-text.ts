import { printable } from '../../framework/stage/text.ts';

const entities: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '|': '&#124;',
};

/**
 * Text as itself in a line or a cell of GitHub's markdown: no markup, no tags, no control characters. Bars become
 * entities, as renderers disagree about backslashes before them.
 */
export function plain(text: string): string {
  return (
    printable(text)
      .replaceAll(/[\\`*[\]~$]/g, '\\$&')
      // Inside a word it is no markup, and names of fields are full of them.
      .replaceAll(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
      .replaceAll(/[&<>|]/g, (character) => entities[character])
  );
}

/**
 * A table of cells that are markdown already, the first row as its head: columns padded to one width, all but the first
 * to the right, so that the file reads well as text too.
 */
export function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(3, ...rows.map((row) => widthOf(row[i]))));
  const line = (row: readonly string[]) => {
    const cells = row.map((text, i) => {
      const space = ' '.repeat(widths[i] - widthOf(text));
      return i === 0 ? text + space : space + text;
    });
    return `| ${cells.join(' | ')} |`;
  };
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(rows[0]), `| ${rule.join(' | ')} |`, ...rows.slice(1).map(line)];
}

function widthOf(text: string): number {
  return [...text].length;
}
