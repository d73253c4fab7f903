import type { Random } from '../../../../nn/random.ts';
import { type Sprite, spriteOf, spriteSize } from './sprite.ts';

/** Blocks a side into which an item is cut. */
const blocks = 4;
const block = 28 / blocks;
const margin = (spriteSize - 28) / 2;

/**
 * What has the look of an item and no shape of one: its blocks in another order, or a bar, a disc or a triangle cut out of
 * its cloth. Only the shape tells objects from such clutter.
 */
export function clutterOf(item: Sprite, draw: Random): Sprite {
  return draw.uniform() < 0.5 ? scrambled(item, draw) : cutting(item, draw);
}

function scrambled({ grey, mask }: Sprite, draw: Random): Sprite {
  const order = draw.permutation(blocks * blocks);
  const [otherGrey, otherMask] = [new Uint8Array(grey.length), new Uint8Array(mask.length)];
  for (let to = 0; to < order.length; to++) {
    const [from, into] = [cornerOf(order[to]!), cornerOf(to)];
    for (let y = 0; y < block; y++) {
      for (let x = 0; x < block; x++) {
        otherGrey[into + y * spriteSize + x] = grey[from + y * spriteSize + x]!;
        otherMask[into + y * spriteSize + x] = mask[from + y * spriteSize + x]!;
      }
    }
  }
  return spriteOf(otherGrey, otherMask);
}

function cornerOf(place: number): number {
  const [row, column] = [Math.floor(place / blocks), place % blocks];
  return (margin + row * block) * spriteSize + margin + column * block;
}

function cutting({ grey, mask, area }: Sprite, draw: Random): Sprite {
  let sum = 0;
  for (let at = 0; at < grey.length; at++) sum += grey[at]! * mask[at]!;
  const mean = Math.round(sum / area);
  const [shape, ratio] = [draw.int(3), 0.15 + 0.85 * draw.uniform()];
  const cloth = grey.map((value, at) => (mask[at] === 1 ? value : mean));
  const inside = new Uint8Array(mask.length);
  for (let y = 0, at = 0; y < spriteSize; y++) {
    const v = (y + 0.5 - spriteSize / 2) / 14 / ratio;
    if (v < -1 || v > 1) {
      at += spriteSize;
      continue;
    }
    // Half of its width there: of a bar, a disc or a triangle.
    const half = shape === 0 ? 1 : shape === 1 ? Math.sqrt(1 - v * v) : (1 + v) / 2;
    for (let x = 0; x < spriteSize; x++, at++)
      inside[at] = Math.abs(x + 0.5 - spriteSize / 2) <= 14 * half ? 1 : 0;
  }
  return spriteOf(cloth, inside);
}
