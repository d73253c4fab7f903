import type { Window } from '../types.ts';

/** Height and width in pixels. */
export type Size = Pick<Window, 'height' | 'width'>;

/** Left, top, right and bottom of a box in pixels, fractions included. */
export type Corners = readonly [left: number, top: number, right: number, bottom: number];

/** How long the edges of an image become: the shorter one, and the most that the longer one may have. */
export interface Edges {
  readonly shorter: number;
  readonly longer: number;
}

/**
 * Where the pixels of a square canvas come from: the image is resized, a window of that is cut out, mirrored or not, and lies
 * in the top left corner. The window is no larger than the canvas, and within the resized image.
 */
export interface Geometry {
  readonly source: Size;
  readonly resized: Size;
  readonly window: Window;
  readonly mirrored: boolean;
}

/**
 * The size of an image whose edges become `edges`, times a factor: mmcv's `rescale_size`, whose numbers are cut off before and
 * rounded after. `max(long / longer, ...)` goes by the edges, whichever is which.
 */
export function sizeByEdges({ height, width }: Size, { shorter, longer }: Edges, factor = 1): Size {
  const [a, b] = [Math.trunc(shorter * factor), Math.trunc(longer * factor)];
  const scale = Math.min(Math.max(a, b) / Math.max(height, width), Math.min(a, b) / Math.min(height, width));
  return atLeastOne({ height: Math.trunc(height * scale + 0.5), width: Math.trunc(width * scale + 0.5) });
}

/**
 * The size of an image that fits into a square, as detectron2's ResizeScale has it: rounded to even, as numpy rounds.
 *
 * @param side of the square in pixels, fractions included
 */
export function sizeInSquare({ height, width }: Size, side: number): Size {
  const scale = Math.min(side / height, side / width);
  return atLeastOne({ height: roundToEven(height * scale), width: roundToEven(width * scale) });
}

/** An image of any shape has a pixel. */
function atLeastOne({ height, width }: Size): Size {
  return { height: Math.max(1, height), width: Math.max(1, width) };
}

/** Halves to the even neighbour. */
export function roundToEven(value: number): number {
  const low = Math.floor(value);
  return value - low === 0.5 ? low + (low % 2) : Math.round(value);
}
