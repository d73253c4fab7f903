import { runsOfText } from '../../masks/text.ts';
import type { ImageInstances, Polygons, RunLengths } from '../../targets.ts';
import type { Fault } from './findings.ts';

/** A mask, or what is wrong with it. */
export type ReadMask =
  | { readonly mask?: Polygons | RunLengths; readonly leftOut: number; readonly fault?: undefined }
  | { readonly fault: Fault };

/** Coordinates that are farther away than this many pixels are mistakes. */
const furthest = 1e6;

/**
 * The `segmentation` of an annotation: polygons, or run lengths as a list or compressed. As detectron2 does, outlines of
 * fewer than three points, or whose last point has one coordinate, are left out; what has no other outline has an empty
 * mask. Nothing, or an empty list, is no mask.
 */
export function readMask(
  segmentation: unknown,
  { height, width }: Pick<ImageInstances, 'height' | 'width'>,
): ReadMask {
  if (segmentation === undefined || segmentation === null) return { leftOut: 0 };
  if (Array.isArray(segmentation)) return readOutlines(segmentation, height, width);
  const { size, counts } = segmentation as { readonly size?: unknown; readonly counts?: unknown };
  const isList = Array.isArray(counts);
  if (!isList && typeof counts !== 'string') return { fault: 'segmentation' };
  if (!Array.isArray(size) || size[0] !== height || size[1] !== width) return { fault: 'runs-size' };
  return isList ? readRuns(counts, height, width) : readText(counts, height, width);
}

function readOutlines(outlines: readonly unknown[], height: number, width: number): ReadMask {
  if (outlines.length === 0) return { leftOut: 0 };
  const good: (readonly number[])[] = [];
  for (const outline of outlines) {
    // [x0, y0, ...] instead of [[x0, y0, ...]] is a usual mistake.
    if (!Array.isArray(outline)) return { fault: 'segmentation' };
    for (const value of outline) if (!isNear(value)) return { fault: 'coordinates' };
    if (outline.length >= 6 && outline.length % 2 === 0) good.push(outline as number[]);
  }
  const leftOut = outlines.length - good.length;
  if (good.length > 0) return { mask: { outlines: good }, leftOut };
  return { mask: { height, width, counts: Uint32Array.of(height * width) }, leftOut };
}

function isNear(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= furthest;
}

function readRuns(counts: readonly unknown[], height: number, width: number): ReadMask {
  let sum = 0;
  for (const count of counts) {
    if (!Number.isInteger(count) || (count as number) < 0) return { fault: 'runs-sum' };
    sum += count as number;
  }
  if (sum !== height * width) return { fault: 'runs-sum' };
  return { mask: { height, width, counts: Uint32Array.from(counts as number[]) }, leftOut: 0 };
}

function readText(text: string, height: number, width: number): ReadMask {
  try {
    return { mask: runsOfText(text, { height, width }), leftOut: 0 };
  } catch (error) {
    if (error instanceof RangeError) return { fault: 'runs-sum' };
    throw error;
  }
}
