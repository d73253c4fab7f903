import type { RunLengths } from '../targets.ts';
import type { Window } from '../types.ts';

/** Height and width in pixels. */
export interface MaskSize {
  readonly height: number;
  readonly width: number;
}

/** Left, top, width, height in pixels; pixel i covers [i, i + 1). */
export type Box = readonly [left: number, top: number, width: number, height: number];

/**
 * Run lengths of a bitmap: what isn't 0 is in the mask.
 *
 * @param bitmap [height, width], row by row
 */
export function encodeMask(bitmap: Uint8Array, { height, width }: MaskSize): RunLengths {
  return encodeWindow(bitmap, { top: 0, left: 0, height, width }, { height, width });
}

/**
 * The same of an image that has nothing outside a window: only the window is looked at.
 *
 * @param bitmap [window.height, window.width], row by row
 * @throws RangeError if the window isn't in the image, or the bitmap has another size
 */
export function encodeWindow(bitmap: Uint8Array, window: Window, { height, width }: MaskSize): RunLengths {
  const { top, left, height: rows, width: columns } = window;
  if (top < 0 || left < 0 || top + rows > height || left + columns > width)
    throw new RangeError(
      `a window of ${rows}x${columns} at row ${top}, column ${left} isn't in an image of ${height}x${width}`,
    );
  if (bitmap.length !== rows * columns)
    throw new RangeError(`a bitmap of ${bitmap.length} pixels isn't one of ${rows}x${columns}`);
  const counts: number[] = [];
  let isIn = false;
  let start = 0;
  const turn = (at: number) => {
    counts.push(at - start);
    start = at;
    isIn = !isIn;
  };
  for (let column = 0; column < columns; column++) {
    const first = (left + column) * height + top;
    for (let row = 0, from = column; row < rows; row++, from += columns)
      if ((bitmap[from] !== 0) !== isIn) turn(first + row);
    // A mask goes on from the foot of a column to the head of the next only if both are in the window.
    const end = first + rows;
    const goesOn = rows === height && column + 1 < columns;
    if (isIn && !goesOn && end < height * width) turn(end);
  }
  counts.push(height * width - start);
  return { height, width, counts: Uint32Array.from(counts) };
}

/** Bitmap [height, width] of 0 and 1, row by row. @throws RangeError as `checkRuns` does */
export function decodeMask(runs: RunLengths): Uint8Array {
  checkRuns(runs);
  const { height, width, counts } = runs;
  const bitmap = new Uint8Array(height * width);
  let at = 0;
  for (let run = 0; run < counts.length; run++) {
    const end = at + counts[run];
    if (run % 2 === 1) {
      let [row, column] = [at % height, Math.floor(at / height)];
      for (let pixel = at; pixel < end; pixel++) {
        bitmap[row * width + column] = 1;
        if (++row === height) [row, column] = [0, column + 1];
      }
    }
    at = end;
  }
  return bitmap;
}

/** @throws RangeError if the runs don't cover the image exactly */
export function checkRuns({ height, width, counts }: RunLengths): void {
  const covered = counts.reduce((sum, count) => sum + count, 0);
  if (covered !== height * width)
    throw new RangeError(
      `run lengths cover ${covered} pixels, but the mask is ${height}x${width}, ${height * width} pixels`,
    );
}

/** Pixels in the mask. */
export function maskArea({ counts }: RunLengths): number {
  let area = 0;
  for (let run = 1; run < counts.length; run += 2) area += counts[run];
  return area;
}

/** The smallest box around the mask, in whole pixels; zeros where there is nothing in it (`rleToBbox` of maskApi.c). */
export function maskBox({ height, counts }: RunLengths): Box {
  let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, height, -1, -1];
  let at = 0;
  for (let run = 0; run < counts.length; run++) {
    const [first, last] = [at, at + counts[run] - 1];
    at = last + 1;
    if (run % 2 === 0 || last < first) continue;
    const [firstColumn, lastColumn] = [Math.floor(first / height), Math.floor(last / height)];
    left = Math.min(left, firstColumn);
    right = Math.max(right, lastColumn);
    // A run that goes on in the next column touches the foot of one and the head of the other.
    top = firstColumn < lastColumn ? 0 : Math.min(top, first % height);
    bottom = firstColumn < lastColumn ? height - 1 : Math.max(bottom, last % height);
  }
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1];
}
