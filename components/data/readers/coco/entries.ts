import path from 'node:path';
import type { ImageInstances, Instance } from '../../targets.ts';
import { formatOf } from '../folder.ts';
import type { Fault } from './findings.ts';
import { readMask } from './segmentation.ts';

/** Whole numbers, which floats in JSON may be, too. */
export function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

/** An entry of a list as it was read: any field may be missing or of any kind. */
export type Entry = { readonly [field: string]: unknown };

/** For messages: the number of an entry, or its place in its list where it has none. */
export function nameOf({ id }: Entry, index: number): string {
  return typeof id === 'number' || typeof id === 'string' ? String(id) : `the one at place ${index}`;
}

/** What is wrong with an entry of `images`. */
export function faultOfImage({ id, height, width, file_name: file }: Entry): Fault | undefined {
  if (!isWhole(id)) return 'image-id';
  if (!isWhole(height) || !isWhole(width) || height < 1 || width < 1) return 'image-size';
  if (typeof file !== 'string' || file === '' || !isBelow(file)) return 'image-name';
  return formatOf(file) === undefined ? 'image-form' : undefined;
}

/** A file outside the folder of images would not be in the key; hidden names are passed over when folders are listed. */
function isBelow(file: string): boolean {
  if (path.isAbsolute(file) || file.includes('\0')) return false;
  return path
    .normalize(file)
    .split(path.sep)
    .every((part) => !part.startsWith('.'));
}

/** What is wrong with an entry of `categories`. */
export function faultOfCategory({ id, name }: Entry): Fault | undefined {
  if (!isWhole(id)) return 'category-id';
  return typeof name === 'string' && name !== '' ? undefined : 'category-name';
}

/** An object, without the class, and how many of its outlines were left out; or what is wrong with it. */
export type ReadInstance =
  | { readonly instance: Omit<Instance, 'class'>; readonly leftOut: number; readonly fault?: undefined }
  | { readonly fault: Fault };

/** An entry of `annotations` whose image and category are known. */
export function readInstance(entry: Entry, size: Pick<ImageInstances, 'height' | 'width'>): ReadInstance {
  const { id, bbox, area, iscrowd = 0, ignore = 0 } = entry;
  if (!isWhole(id)) return { fault: 'annotation-id' };
  if (!Array.isArray(bbox) || bbox.length !== 4 || !bbox.every(Number.isFinite)) return { fault: 'box' };
  if (!Number.isFinite(area) || (area as number) < 0) return { fault: 'area' };
  if (iscrowd !== 0 && iscrowd !== 1 && typeof iscrowd !== 'boolean') return { fault: 'crowd' };
  if (ignore !== 0 && ignore !== false) return { fault: 'ignore' };
  const read = readMask(entry.segmentation, size);
  if (read.fault !== undefined) return read;
  const { mask, leftOut } = read;
  const [left, top, width, height] = bbox as [number, number, number, number];
  const instance = {
    id,
    box: [left, top, width, height] as const,
    area: area as number,
    crowd: Boolean(iscrowd),
  };
  return { instance: { ...instance, ...(mask === undefined ? {} : { mask }) }, leftOut };
}

/** Whether nothing of a box is in its image. */
export function isOutside(
  [left, top, width, height]: Instance['box'],
  image: Pick<ImageInstances, 'height' | 'width'>,
): boolean {
  const inside = (from: number, length: number, most: number) =>
    Math.min(from + length, most) - Math.max(from, 0) > 1e-5;
  return !inside(left, width, image.width) || !inside(top, height, image.height);
}
