import type { Geometry } from './geometry.ts';

/** For each row and column of a window, which of the source it shows. */
export interface Places {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
}

/** Places of a window of a geometry by OpenCV's INTER_NEAREST: floor(place * source / resized), one pixel for each. */
export function nearestPlaces({ source, resized, window, mirrored }: Geometry): Places {
  const rows = places(source.height, resized.height, window.top, window.height);
  const columns = places(source.width, resized.width, window.left, window.width);
  return { rows, columns: mirrored ? columns.reverse() : columns };
}

function places(from: number, to: number, first: number, length: number): Int32Array {
  // In the order of OpenCV's operations: other ones round otherwise.
  const step = 1 / (to / from);
  const shown = new Int32Array(length);
  for (let n = 0; n < length; n++) shown[n] = Math.min(from - 1, Math.floor((first + n) * step));
  return shown;
}

/**
 * The window of a map [height, width] of bytes that these places show, in the top left corner of a canvas.
 *
 * @param to filled already where the window doesn't reach
 */
export function fillNearest(
  map: Uint8Array,
  width: number,
  { rows, columns }: Places,
  to: Uint8Array,
  size: number,
): void {
  for (let y = 0; y < rows.length; y++) {
    const from = rows[y]! * width;
    const start = y * size;
    // Rows that show the same are copied.
    if (y > 0 && rows[y] === rows[y - 1]) to.copyWithin(start, start - size, start - size + columns.length);
    else for (let x = 0; x < columns.length; x++) to[start + x] = map[from + columns[x]!]!;
  }
}
