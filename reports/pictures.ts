import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { StageInput } from '../framework/stage/contract.ts';
import { type PictureRow, stackRows } from './formats/picture.ts';
import type { TableConfig } from './results.ts';

/**
 * Strips that stages write: what is the same for all rows of the table, and what each row makes of it. A stage that has
 * both files, each a row of the same images, gets a picture.
 */
interface Strips {
  readonly first: string;
  readonly label: string;
  readonly each: string;
  /** Name of the picture of a task. */
  readonly picture: (task: string) => string;
}

const kinds: readonly Strips[] = [
  {
    first: 'originals.png',
    label: 'original',
    each: 'reconstructions.png',
    picture: (task) => (task === 'tokenizer' ? 'reconstructions.png' : `reconstructions-${task}.png`),
  },
  {
    first: 'truth.png',
    label: 'truth',
    each: 'predictions.png',
    picture: (task) => `predictions-${task}.png`,
  },
];

/**
 * Pictures by name: a strip of test images on top, then that of each row, of the first seed that has one.
 *
 * @param variants the rows, in their order
 */
export async function comparePictures(
  { cells }: Pick<TableConfig, 'cells'>,
  inputs: { readonly [name: string]: StageInput },
  variants: readonly string[],
): Promise<ReadonlyMap<string, Buffer>> {
  const pictures = new Map<string, Buffer>();
  for (const task of new Set(cells.map((cell) => cell.task))) {
    const own = variants.flatMap((variant) =>
      cells.filter((cell) => cell.task === task && cell.variant === variant),
    );
    for (const kind of kinds) {
      const rows = await rowsOf(own, inputs, kind);
      if (rows.length > 0) pictures.set(kind.picture(task), stackRows(rows));
    }
  }
  return pictures;
}

async function rowsOf(
  cells: TableConfig['cells'],
  inputs: { readonly [name: string]: StageInput },
  { first, label, each }: Strips,
): Promise<PictureRow[]> {
  const read = (input: string, name: string) =>
    readFile(path.join(inputs[input].dir, name)).catch(() => undefined);
  const rows: PictureRow[] = [];
  const shown = new Set<string>();
  for (const { variant, input } of cells) {
    if (shown.has(variant)) continue;
    const [common, own] = [await read(input, first), await read(input, each)];
    if (!common || !own) continue;
    shown.add(variant);
    if (rows.length === 0) rows.push({ label, png: common });
    rows.push({ label: variant, png: own });
  }
  return rows;
}
