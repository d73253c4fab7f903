import { distinct } from './cells.ts';
import type { TableCell } from './column.ts';
import type { TableConfig } from './results.ts';
import type { AblationTable } from './table.ts';

/** How a format shows intervals over test images: beside those over seeds, or only where there are none. */
export type ImageIntervals = 'beside' | 'instead';

/** Ends of the interval over test images of a cell, if the format shows it there. */
export function shownImages(
  { difference }: TableCell,
  intervals: ImageIntervals,
): readonly [low: number, high: number] | undefined {
  if (intervals === 'instead' && difference?.interval !== undefined) return undefined;
  return difference?.images?.interval;
}

/** How to read a cell, in sentences: of what is in this table only. */
export function captionOf({ rows }: AblationTable, intervals: ImageIntervals): string[] {
  const cells = rows.flatMap((row) => row.cells.flatMap((cell) => cell ?? []));
  const differences = cells.flatMap(({ difference }) => difference ?? []);
  const partial = cells.find(({ n, difference }) => difference !== undefined && difference.n < n);
  const sharing = cells.find((cell) => isSharing(cell));
  const resamples = cells.flatMap((cell) =>
    shownImages(cell, intervals) === undefined ? [] : cell.difference!.images!.resamples,
  );
  const when = (holds: boolean, sentence: string) => (holds ? [sentence] : []);
  const some = partial
    ? `; (${pairsText(partial)}): only so many of its seeds are in the baseline's row too`
    : '';
  if (cells.length === 0) return ['There is no result yet.'];
  return [
    'Mean ± sample standard deviation over seeds (number of seeds).',
    ...when(differences.length > 0, `Then the difference to the baseline at equal seeds${some}.`),
    ...when(
      differences.some(({ interval }) => interval !== undefined),
      'In brackets its 95 % interval over seeds (paired, Student’s t).',
    ),
    ...when(
      resamples.length > 0,
      `In braces its 95 % interval over test images (paired percentile bootstrap, ${resamplesText(resamples)}): the noise of the test set alone, which says nothing of another training.`,
    ),
    ...noiseOf(
      differences.flatMap(({ corrected, significant }) => (corrected === undefined ? [] : significant)),
    ),
    ...when(
      cells.some(({ best }) => best),
      'Bold: best of the column as printed, among rows with all seeds, and beyond the noise.',
    ),
    ...(sharing
      ? [
          `(${countText(sharing)}): what is named last ran once for all of these seeds. A spread over them would not be that of the whole chain, so none is shown.`,
        ]
      : []),
  ];
}

/** `10,000 resamples`; of several numbers those of means over images are the most. */
function resamplesText(resamples: readonly number[]): string {
  const [most, ...fewer] = distinct([...resamples].sort((a, b) => b - a)).map((count) =>
    count.toLocaleString('en-US'),
  );
  const others = fewer.length === 0 ? '' : `, ${fewer.join(' or ')} where a number is no mean over images`;
  return `${most} resamples${others}`;
}

/** @param tested of each difference that was tested whether it is beyond the noise */
function noiseOf(tested: readonly boolean[]): string[] {
  if (tested.length === 0) return [];
  const how =
    'p below 0.05 over seeds, and over test images where their results are stored, corrected by Holm for the rows of a column';
  return [
    tested.includes(true)
      ? `A star: beyond the noise (${how}).`
      : `No difference is beyond the noise (${how}).`,
  ];
}

/** On how many of its seeds a difference rests: `2 of 3`. */
export function pairsText({ n, difference }: TableCell): string {
  return `${difference?.n} of ${n}`;
}

/** A single seed has no spread, whatever it shares. */
function isSharing({ n, shared }: TableCell): boolean {
  return n > 1 && shared.length > 0;
}

/** `2`, or `2 seeds, 1 tokenizer` where they share one. */
export function countText(cell: TableCell): string {
  if (!isSharing(cell)) return String(cell.n);
  const kinds = cell.shared.map((stage) => stage.split('/')[0]);
  const counts = [...new Set(kinds)].map((kind) => {
    const many = kinds.filter((other) => other === kind).length;
    return `${many} ${kind}${many === 1 ? '' : 's'}`;
  });
  return [`${cell.n} seeds`, ...counts].join(', ');
}

export function seedsOf({ cells }: Pick<TableConfig, 'cells'>): readonly number[] {
  return distinct(cells.map(({ seed }) => seed));
}

/** What a picture shows, by its file: `reconstructions.png`, `predictions-detection.png`. Of several seeds it is the first. */
export function pictureTitle(file: string, seeds: readonly number[]): string {
  const [kind, task] = file.replace(/\.png$/, '').split(/-(.*)/s);
  const what =
    kind === 'predictions'
      ? 'Test images with the truth, and what each row finds in them'
      : 'Test images, and what each tokenizer makes of them';
  const which = [...(task ? [task] : []), ...(seeds.length > 1 ? ['first seed'] : [])];
  return `${what}${which.length > 0 ? ` (${which.join(', ')})` : ''}`;
}
