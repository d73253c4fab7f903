import type { Published, PublishedRow } from './comparable.ts';
import { formatSigned } from './format.ts';
import type { PublishedNumber } from './published.ts';
import type { AblationTable, TableColumn } from './table.ts';

/** Above the rows of papers. */
export const publishedHead = 'published, not of this run';

/** `PeCo, 800 epochs` */
export function publishedName({ method, epochs }: PublishedRow): string {
  return `${method}, ${epochs} epochs`;
}

/** With the digits of the paper; in parentheses what another paper quotes. */
export function publishedCell(number: PublishedNumber | undefined, column: TableColumn): string | undefined {
  if (number === undefined) return undefined;
  const digits = digitsOf(number.value, column);
  return number.sure === 'quoted' ? `(${digits})` : digits;
}

/** What is said of papers below the table, in sentences without their full stops; none if there are no such rows. */
export function publishedSentences(
  { rows, differences }: Published,
  { columns }: Pick<AblationTable, 'columns'>,
): string[] {
  if (rows.length === 0) return [];
  return [
    ...differences.map(({ variant, baseline, methods, column, here, papers }) => {
      const { title, scale, digits } = columns[column];
      const theirs = papers.map(
        ({ epochs, difference }) => `${formatSigned(difference * scale, digits)} (${epochs} epochs)`,
      );
      return `${title}, ${variant} less ${baseline}: ${formatSigned(here * scale, digits)} here, ${theirs.join(', ')} in the papers (${methods.join(' less ')})`;
    }),
    'Published numbers are of ViT-B/16, pretrained on ImageNet-1K at 224 pixels, and say nothing of how the schedules compare; in parentheses: read in another paper that quotes them',
    ...rows.flatMap((row) =>
      row.cells.flatMap((number, place) =>
        number === undefined
          ? []
          : [
              `${publishedName(row)}, ${columns[place].title} ${digitsOf(number.value, columns[place])}: ${number.sure === 'quoted' ? 'quoted by ' : ''}${number.source}`,
            ],
      ),
    ),
  ];
}

/** As many as the paper gives, which are at most four of a share. */
function digitsOf(value: number, { scale }: TableColumn): string {
  return String(Number((value * scale).toFixed(4)));
}
