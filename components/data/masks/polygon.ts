import type { Polygons, RunLengths } from '../targets.ts';
import { mergeMasks } from './overlap.ts';
import { type Box, checkRuns, type MaskSize } from './runs.ts';

/** Outlines are drawn on a grid that is finer by this. */
const scale = 5;
/** Pixels beyond which an outline isn't drawn: its steps on the finer grid are walked one by one. */
const furthest = 1e6;

/**
 * The mask of an annotation as run lengths, as pycocotools' `annToRLE`: all that is in one of the outlines.
 *
 * @throws RangeError if there is no outline, if one has no three points or coordinates that are too far away, or if run
 *   lengths are of another size
 */
export function runsOf(mask: Polygons | RunLengths, size: MaskSize): RunLengths {
  if ('outlines' in mask)
    return mergeMasks(
      mask.outlines.map((outline) => polygonRuns(outline, size)),
      'union',
    );
  const { height, width } = mask;
  if (height !== size.height || width !== size.width)
    throw new RangeError(`a mask of ${height}x${width} isn't one of ${size.height}x${size.width} pixels`);
  checkRuns(mask);
  return mask;
}

/** The run lengths of a box, as `rleFrBbox` of maskApi.c. */
export function boxRuns([left, top, width, height]: Box, size: MaskSize): RunLengths {
  const [right, bottom] = [left + width, top + height];
  return polygonRuns([left, top, left, bottom, right, bottom, right, top], size);
}

/**
 * The run lengths of one outline, the very pixels of `rleFrPoly` of maskApi.c (pycocotools' `frPyObjects`): the outline is
 * drawn on a grid five times as fine; where it crosses the middle of a column of pixels, the mask begins or ends.
 *
 * @param outline x0, y0, x1, y1, ... in pixels; a last number without its partner is left out
 * @throws RangeError for an outline without three points, or with a coordinate that isn't within a million pixels
 */
export function polygonRuns(outline: readonly number[], { height, width }: MaskSize): RunLengths {
  const points = Math.floor(outline.length / 2);
  if (points < 3) throw new RangeError(`an outline of ${points} points has no inside: it needs three`);
  const far = outline.find((value) => !(Math.abs(value) <= furthest));
  if (far !== undefined) throw new RangeError(`an outline has a coordinate of ${far}, far outside the image`);
  const [x, y] = [0, 1].map((axis) =>
    Int32Array.from({ length: points + 1 }, (_, point) =>
      Math.trunc(scale * outline[2 * (point % points) + axis] + 0.5),
    ),
  );
  const crossings: number[] = [];
  const add = crossingsOf(crossings, { height, width });
  for (let point = 0; point < points; point++)
    eachStep([x[point], y[point]], [x[point + 1], y[point + 1]], width, add);
  return runsBetween(crossings, { height, width });
}

type Point = readonly [x: number, y: number];

/** Calls `use` with neighbours on the finer grid, from one end of a line to the other. */
function eachStep(
  from: Point,
  to: Point,
  width: number,
  use: (u0: number, v0: number, u1: number, v1: number) => void,
): void {
  const [dx, dy] = [Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
  // As in maskApi.c, a line is computed from left to right, or from top to bottom if it is steep.
  const isFlat = dx >= dy;
  const [[xs, ys], [xe, ye]] = (isFlat ? from[0] > to[0] : from[1] > to[1]) ? [to, from] : [from, to];
  if (isFlat) {
    const slope = (ye - ys) / dx;
    const at = (step: number) => Math.trunc(ys + slope * step + 0.5);
    // Only steps across the middle of a column, 5c + 2 to 5c + 3, matter.
    const [left, right] = [Math.max(0, Math.ceil((xs - 2) / scale)), Math.min(width, (xe - 2) / scale)];
    for (let column = left; column < right; column++) {
      const u = scale * column + 2;
      use(u, at(u - xs), u + 1, at(u + 1 - xs));
    }
    return;
  }
  const slope = (xe - xs) / dy;
  const at = (step: number) => Math.trunc(xs + slope * step + 0.5);
  for (let step = 1; step <= dy; step++) use(at(step - 1), ys + step - 1, at(step), ys + step);
}

/** Collects where steps cross the middle of a column: the number of the pixel, column by column. */
function crossingsOf(crossings: number[], { height, width }: MaskSize) {
  return (u0: number, v0: number, u1: number, v1: number): void => {
    if (u0 === u1) return;
    const column = (Math.min(u0, u1) + 0.5) / scale - 0.5;
    if (Math.floor(column) !== column || column < 0 || column > width - 1) return;
    const row = (Math.min(v0, v1) + 0.5) / scale - 0.5;
    crossings.push(column * height + Math.ceil(Math.max(0, Math.min(row, height))));
  };
}

/** Runs that turn at each crossing; two at the same pixel undo each other. */
function runsBetween(crossings: readonly number[], { height, width }: MaskSize): RunLengths {
  const sorted = Float64Array.from(crossings).sort();
  const counts: number[] = [];
  let start = 0;
  for (let next = 0; next <= sorted.length; next++) {
    const at = sorted[next] ?? height * width;
    counts.push(at - start);
    start = at;
  }
  return { height, width, counts: Uint32Array.from(joined(counts)) };
}

/** Runs without empty ones in the middle: what is before and after such a one is one run. */
function joined(counts: readonly number[]): number[] {
  const kept = [counts[0]];
  for (let next = 1; next < counts.length; next++)
    if (counts[next] > 0) kept.push(counts[next]);
    else if (++next < counts.length) kept[kept.length - 1] += counts[next];
  return kept;
}
