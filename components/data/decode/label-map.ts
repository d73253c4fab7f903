import { readFile } from 'node:fs/promises';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { type LabelMap, type LabelNumbering, noClass } from '../targets.ts';
import { BadImage } from './decode.ts';
import { firstNumbers, type PngNumbers, readPngNumbers } from './png-numbers.ts';

/** The class of each pixel, row by row: an index into the classes, or 255 (`noClass`). */
export interface Labels {
  readonly labels: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** What the numbers of a label map mean. */
export interface Numbered {
  readonly numbering: LabelNumbering;
  /** How many classes there are, 254 at most: 255 is none. */
  readonly classes: number;
}

/**
 * Reads a label map and decodes it.
 *
 * @throws StageError that names the file, if it can't be read; BadImage as `labelsOf` and `readPngNumbers` do
 */
export async function readLabelMap(map: LabelMap, classes: number): Promise<Labels> {
  const { numbering } = map;
  if (map.format === 'raw') return labelsOf(checked(map), { numbering, classes });
  const from = 'file' in map ? map.file : map.from;
  try {
    const bytes = 'file' in map ? await bytesOf(map.file) : map.bytes;
    return labelsOf(readPngNumbers(bytes), { numbering, classes });
  } catch (error) {
    if (from === undefined || !(error instanceof StageError)) throw error;
    const { message, hint } = error;
    const Kind = error instanceof BadImage ? BadImage : StageError;
    throw new Kind(`${from}: ${message}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
  }
}

/** The system's message names the file, as the caller does. */
async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new StageError(`can't be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}

/** The numbers are what a reader says they are. */
function checked({ numbers, height, width }: PngNumbers): PngNumbers {
  const sides = [height, width].every((side) => Number.isInteger(side) && side > 0);
  if (sides && numbers.length === height * width) return { numbers, height, width };
  throw new StageError(
    `a label map has ${numbers.length} numbers, but says that it is [${height}, ${width}]`,
  );
}

/**
 * The classes that the numbers mean. `from-1` is `reduce_zero_label` of mmsegmentation: 0 and 255 are no class, n is class
 * n - 1. `from-0`: n is class n, 255 none.
 *
 * @throws BadImage that names the number and a pixel, if it is that of a class that there isn't
 */
export function labelsOf({ numbers, height, width }: PngNumbers, { numbering, classes }: Numbered): Labels {
  const first = numbering === 'from-1' ? 1 : 0;
  // By number: the label, or `unknown`. Numbers of 16 bits can be larger than any that means something.
  const unknown = 256;
  const meaning = new Uint16Array(numbers instanceof Uint16Array ? 65_536 : 256).fill(unknown);
  for (let one = 0; one < classes; one++) meaning[one + first] = one;
  if (first === 1) meaning[0] = noClass;
  if (meaning[noClass] === unknown) meaning[noClass] = noClass;
  const labels = new Uint8Array(numbers.length);
  for (let pixel = 0; pixel < numbers.length; pixel++) {
    const label = meaning[numbers[pixel]!]!;
    if (label === unknown) throw strange(numbers, { width, pixel, meaning, unknown, first, classes });
    labels[pixel] = label;
  }
  return { labels, height, width };
}

/** As many of a file's first bytes have a pixel with a class in most label maps. */
export const firstLabelBytes = 4096;

/**
 * Whether a label map has a pixel with a class. Where the first rows have one, no more is unpacked.
 *
 * @param first the first bytes of the file
 * @throws BadImage as `readPngNumbers` does; StageError if the file can't be read. The messages don't name it
 */
export async function hasClass(file: string, first: Uint8Array, numbering: LabelNumbering): Promise<boolean> {
  const none = numbering === 'from-1' ? 0 : noClass;
  const among = (numbers: PngNumbers['numbers']) => numbers.some((one) => one !== none && one !== noClass);
  return among(firstNumbers(first)) || among(readPngNumbers(await bytesOf(file)).numbers);
}

interface Strange {
  readonly width: number;
  /** Place of the first number that means nothing. */
  readonly pixel: number;
  readonly meaning: Uint16Array;
  readonly unknown: number;
  readonly first: 0 | 1;
  readonly classes: number;
}

function strange(
  numbers: PngNumbers['numbers'],
  { width, pixel, meaning, unknown, first, classes }: Strange,
): BadImage {
  const odd = numbers.filter((number) => meaning[number] === unknown);
  const [row, column] = [Math.floor(pixel / width), pixel % width];
  const kinds = [...new Set(odd)].sort((a, b) => a - b);
  const shown = kinds.slice(0, 5).join(', ') + (kinds.length > 5 ? ', ...' : '');
  const pixels = `${odd.length.toLocaleString('en-US')} of ${numbers.length.toLocaleString('en-US')} pixels`;
  const message = `has numbers of no class (${shown}; ${pixels}, the first in row ${row}, column ${column})`;
  const range =
    first === 1
      ? `numbers go from 1 to ${classes}, the ${classes} classes; 0 and 255 are no class`
      : `numbers go from 0 to ${classes - 1}, the ${classes} classes; 255 is no class`;
  return new BadImage(message, { hint: range });
}
