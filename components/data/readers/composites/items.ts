import { readIdx } from '../../decode/idx.ts';
import { CLASSES, checkPair, SOURCE_SIZE } from '../fashion-mnist/contents.ts';
import type { IdxPair } from '../fashion-mnist/files.ts';
import { type Sprite, spriteOf, spriteSize } from './scene/sprite.ts';

export type CompositesSplit = 'train' | 'validation' | 'test';

/** Share of the train items that no training scene shows: those of the split `validation`. */
const heldOut = 0.2;

/** Grey values of an item begin above it: what a photograph's background leaves. */
const background = 8;

/** Holes of more pixels stay in classes whose holes are true: between straps of a sandal, below the handle of a bag. */
const smallHole = 6;
const withHoles: ReadonlySet<string> = new Set(['Sandal', 'Bag']);

/** Parts that hang together by less than this share of an item are specks: they would enlarge its box. */
const speck = 0.05;

/** Items of a split of Fashion-MNIST, cut out. */
export interface Items {
  /** Places of the items of each class, for `sprite`. */
  readonly byClass: readonly Int32Array[];
  /** Cut out when first asked for. */
  sprite(place: number): Sprite;
}

/**
 * The items that scenes of a split show: `train` and `validation` share the files of the train split, the last fifth of
 * which is for validation; no item is in two splits.
 *
 * @throws StageError that names the file, if it is none of Fashion-MNIST, or too small for items of each class
 */
export function openItems(files: IdxPair, split: CompositesSplit): Items {
  const images = readIdx(files.images, 3);
  const { count, labels } = checkPair(files, images.shape, readIdx(files.labels, 1));
  const [from, to] = rangeOf(split, count);
  const byClass = CLASSES.map((_, label) =>
    Int32Array.from({ length: to - from }, (_, n) => from + n).filter((place) => labels[place] === label),
  );
  const sprites = new Map<number, Sprite>();
  return {
    byClass,
    sprite(place) {
      const known = sprites.get(place);
      if (known) return known;
      const pixels = images.data.subarray(place * SOURCE_SIZE ** 2, (place + 1) * SOURCE_SIZE ** 2);
      const made = cutOut(pixels, withHoles.has(CLASSES[labels[place]!]!));
      sprites.set(place, made);
      return made;
    },
  };
}

/** Which of the items of a file belong to a split. */
export function rangeOf(split: CompositesSplit, count: number): readonly [from: number, to: number] {
  const kept = count - Math.floor(count * heldOut);
  if (split === 'test') return [0, count];
  return split === 'train' ? [0, kept] : [kept, count];
}

/** An item with its mask: what is brighter than its background, without holes and specks. */
export function cutOut(pixels: Uint8Array, keepsHoles: boolean): Sprite {
  const grey = new Uint8Array(spriteSize ** 2);
  const margin = (spriteSize - SOURCE_SIZE) / 2;
  for (let y = 0; y < SOURCE_SIZE; y++) {
    grey.set(pixels.subarray(y * SOURCE_SIZE, (y + 1) * SOURCE_SIZE), (y + margin) * spriteSize + margin);
  }
  const mask = grey.map((value) => (value > background ? 1 : 0));
  const holes = regionsOf(mask, 0, neighbours4).filter((region) => !region.includes(0));
  for (const hole of holes) {
    if (!keepsHoles || hole.length <= smallHole) for (const at of hole) mask[at] = 1;
  }
  const parts = regionsOf(mask, 1, neighbours8).sort((a, b) => b.length - a.length);
  const area = parts.reduce((sum, part) => sum + part.length, 0);
  for (const part of parts.slice(1)) if (part.length < speck * area) for (const at of part) mask[at] = 0;
  // No item of the official files is all dark; one of other files would be a square.
  if (area === 0) mask.fill(1);
  return spriteOf(grey, mask);
}

const neighbours4 = [-1, 1, -spriteSize, spriteSize];
const neighbours8 = [...neighbours4, -spriteSize - 1, -spriteSize + 1, spriteSize - 1, spriteSize + 1];

/** The regions of pixels of a value that hang together, each as its places. Place 0 is outside of every item. */
function regionsOf(mask: Uint8Array, value: number, neighbours: readonly number[]): number[][] {
  const seen = new Uint8Array(mask.length);
  const regions: number[][] = [];
  for (let start = 0; start < mask.length; start++) {
    if (seen[start] || mask[start] !== value) continue;
    const region = [start];
    seen[start] = 1;
    for (let next = 0; next < region.length; next++) {
      const at = region[next]!;
      for (const step of neighbours) {
        const to = at + step;
        // The border is empty, so that a step over the side of the picture stays in what is outside.
        if (to < 0 || to >= mask.length || seen[to] || mask[to] !== value) continue;
        seen[to] = 1;
        region.push(to);
      }
    }
    regions.push(region);
  }
  return regions;
}
