import { StageError } from '../../../framework/stage/stage-error.ts';
import { runsOf } from '../masks/polygon.ts';
import { decodeMask, maskArea } from '../masks/runs.ts';
import type { Instance, Polygons, RunLengths } from '../targets.ts';
import type { Corners, Geometry, Size } from './geometry.ts';
import { boxWithin, outlineBox } from './outline.ts';

/** The objects of a picture that are learnt from, in the order of the annotations. */
export interface SeenInstances {
  /** [n, 4]: left, top, right, bottom in pixels of the canvas. */
  readonly boxes: Float32Array;
  readonly classes: Int32Array;
  /** [n, size / maskStride, size / maskStride] of 0 and 1. */
  readonly masks: Uint8Array;
  /** Further objects that could be seen: there were more than `maxInstances`. */
  readonly left: number;
}

interface Options {
  readonly size: number;
  readonly maskStride: number;
  readonly maxInstances: number;
}

interface Seen {
  readonly place: number;
  readonly instance: Instance;
  readonly box: Corners;
}

/** Narrower boxes are no boxes: `nonempty` of detectron2. */
const LEAST = 1e-5;

/**
 * The objects that are in a window of an image: boxes are cut at its border, masks are made of the outlines in the pixels of the
 * canvas, as detectron2 makes them, or of the nearest pixels of run lengths. Groups are left out, and objects of which nothing
 * is to be seen.
 *
 * @throws StageError that names the annotation, if it has no mask or one that can't be drawn
 */
export function seeInstances(
  instances: readonly Instance[],
  geometry: Geometry,
  { size, maskStride, maxInstances }: Options,
): SeenInstances {
  const seen: Seen[] = [];
  for (const [place, instance] of instances.entries()) {
    if (instance.crowd || isNothing(instance.mask, geometry.source)) continue;
    const box = boxIn(instance, geometry);
    if (box[2] - box[0] > LEAST && box[3] - box[1] > LEAST) seen.push({ place, instance, box });
  }
  // The largest first, and of equal ones the first.
  if (seen.length > maxInstances) seen.sort((a, b) => areaOf(b.box) - areaOf(a.box) || a.place - b.place);
  const kept: (Seen & { readonly mask: Uint8Array })[] = [];
  let next = 0;
  for (; next < seen.length && kept.length < maxInstances; next++) {
    const mask = maskIn(seen[next]!, geometry, maskStride);
    if (mask) kept.push({ ...seen[next]!, mask });
  }
  kept.sort((a, b) => a.place - b.place);
  return { ...arraysOf(kept, cellsOf(geometry, maskStride), size / maskStride), left: seen.length - next };
}

/** Run lengths without a pixel; what outlines hold is seen once they are drawn. */
function isNothing(mask: Instance['mask'], { height, width }: Size): boolean {
  if (mask === undefined || 'outlines' in mask) return false;
  return mask.height === height && mask.width === width && maskArea(mask) === 0;
}

function areaOf([left, top, right, bottom]: Corners): number {
  return (right - left) * (bottom - top);
}

function arraysOf(
  kept: readonly (Seen & { readonly mask: Uint8Array })[],
  cells: Size,
  side: number,
): Omit<SeenInstances, 'left'> {
  const masks = new Uint8Array(kept.length * side * side);
  for (const [n, { mask }] of kept.entries())
    for (let y = 0; y < cells.height; y++)
      masks.set(mask.subarray(y * cells.width, (y + 1) * cells.width), (n * side + y) * side);
  return {
    boxes: Float32Array.from(kept.flatMap(({ box }) => box)),
    classes: Int32Array.from(kept, ({ instance }) => instance.class),
    masks,
  };
}

/** Pixels of a mask that the picture covers. */
function cellsOf({ window }: Geometry, stride: number): Size {
  return { height: Math.ceil(window.height / stride), width: Math.ceil(window.width / stride) };
}

/** Where a point of the image is on the canvas. */
function toCanvas({ source, resized, window, mirrored }: Geometry) {
  const [across, down] = [resized.width / source.width, resized.height / source.height];
  return (x: number, y: number): readonly [x: number, y: number] => {
    const right = x * across - window.left;
    return [mirrored ? window.width - right : right, y * down - window.top];
  };
}

/**
 * The box of what is to be seen of an object. Where the window cuts through its box, that of what is left of its mask, since
 * the rest of the box may be empty (`recompute_boxes` of detectron2).
 */
function boxIn({ box: [left, top, width, height], mask }: Instance, geometry: Geometry): Corners {
  const move = toCanvas(geometry);
  const [[x0, y0], [x1, y1]] = [move(left, top), move(left + width, top + height)];
  const whole: Corners = [Math.min(x0, x1), y0, Math.max(x0, x1), y1];
  const { window, resized } = geometry;
  const clipped = boxWithin(whole, window);
  const isCut = window.height < resized.height || window.width < resized.width;
  if (!mask || !isCut || clipped.every((edge, n) => Math.abs(edge - whole[n]!) < LEAST)) return clipped;
  const rest = 'outlines' in mask ? outlineBox(moved(mask, geometry, 1), window) : runsBox(mask, geometry);
  return boxWithin(rest, window);
}

function moved({ outlines }: Polygons, geometry: Geometry, stride: number): number[][] {
  const move = toCanvas(geometry);
  return outlines.map((outline) => {
    const points: number[] = [];
    for (let at = 0; at + 1 < outline.length; at += 2) {
      const [x, y] = move(outline[at]!, outline[at + 1]!);
      points.push(x / stride, y / stride);
    }
    return points;
  });
}

/** The box of the pixels of a mask that the window meets. */
function runsBox(mask: RunLengths, geometry: Geometry): Corners {
  const { source, resized, window } = geometry;
  const bitmap = decodeMask(mask);
  const part = (first: number, length: number, of: number, size: number) =>
    [Math.floor((first * size) / of), Math.min(size, Math.ceil(((first + length) * size) / of))] as const;
  const [top, bottom] = part(window.top, window.height, resized.height, source.height);
  const [left, right] = part(window.left, window.width, resized.width, source.width);
  let [x0, y0, x1, y1] = [right, bottom, left, top];
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) {
      if (bitmap[y * mask.width + x] === 0) continue;
      if (x < x0) x0 = x;
      if (x >= x1) x1 = x + 1;
      if (y < y0) y0 = y;
      y1 = y + 1;
    }
  const move = toCanvas(geometry);
  const [[ax, ay], [bx, by]] = [move(x0, y0), move(Math.max(x0, x1), Math.max(y0, y1))];
  return [Math.min(ax, bx), ay, Math.max(ax, bx), by];
}

/**
 * The mask of an object in the window, row by row; undefined if nothing of it is to be seen. An object that is smaller than a
 * pixel of a coarse mask has the one in its middle.
 */
function maskIn({ instance, box }: Seen, geometry: Geometry, stride: number): Uint8Array | undefined {
  const cells = cellsOf(geometry, stride);
  const bitmap = draw(instance, geometry, stride, cells);
  if (bitmap.includes(1)) return bitmap;
  if (stride === 1) return undefined;
  const middle = (from: number, to: number, most: number) =>
    Math.min(most - 1, Math.floor((from + to) / 2 / stride));
  bitmap[middle(box[1], box[3], cells.height) * cells.width + middle(box[0], box[2], cells.width)] = 1;
  return bitmap;
}

function draw({ id, mask }: Instance, geometry: Geometry, stride: number, cells: Size): Uint8Array {
  if (!mask)
    throw new StageError(`annotation ${id} has no mask`, {
      hint: 'masks are learnt from every object that is no crowd: leave annotations without them out',
    });
  try {
    if ('outlines' in mask) return decodeMask(runsOf({ outlines: moved(mask, geometry, stride) }, cells));
    return nearestOf(decodeMask(runsOf(mask, geometry.source)), geometry, stride, cells);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new StageError(`annotation ${id}: ${cause.message}`, { cause });
  }
}

/** The pixels of a bitmap of the image in which the middles of the mask's pixels are. */
function nearestOf(bitmap: Uint8Array, geometry: Geometry, stride: number, cells: Size): Uint8Array {
  const { source, resized, window, mirrored } = geometry;
  const places = (length: number, first: number, from: number, to: number, turned?: number) =>
    Int32Array.from({ length }, (_, n) => {
      const middle = (n + 0.5) * stride;
      const at = Math.floor(((first + (turned === undefined ? middle : turned - middle)) * from) / to);
      return Math.max(0, Math.min(from - 1, at));
    });
  const rows = places(cells.height, window.top, source.height, resized.height);
  const turned = mirrored ? window.width : undefined;
  const columns = places(cells.width, window.left, source.width, resized.width, turned);
  const out = new Uint8Array(cells.height * cells.width);
  for (let y = 0, to = 0; y < cells.height; y++)
    for (let x = 0; x < cells.width; x++, to++) out[to] = bitmap[rows[y]! * source.width + columns[x]!]!;
  return out;
}
