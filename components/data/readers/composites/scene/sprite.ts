/** Height and width of a sprite: the 28x28 pixels of an item with two empty ones around, so that no sample falls outside. */
export const spriteSize = 32;

/** What is painted: grey values and where they are, `[32, 32]` each. */
export interface Sprite {
  readonly grey: Uint8Array;
  /** 1 where it is, 0 elsewhere. */
  readonly mask: Uint8Array;
  /** Pixels of the mask. */
  readonly area: number;
  /** Middle of the tight box of the mask, in pixels; pixel i covers [i, i + 1). */
  readonly middle: readonly [x: number, y: number];
  /** Height and width of that box. */
  readonly height: number;
  readonly width: number;
}

/** @throws RangeError if the mask is empty */
export function spriteOf(grey: Uint8Array, mask: Uint8Array): Sprite {
  let [area, left, right, top, bottom] = [0, spriteSize, -1, spriteSize, -1];
  for (let y = 0, at = 0; y < spriteSize; y++) {
    for (let x = 0; x < spriteSize; x++, at++) {
      if (mask[at] === 0) continue;
      area++;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (area === 0) throw new RangeError('an empty sprite');
  const [width, height] = [right + 1 - left, bottom + 1 - top];
  const middle = [left + width / 2, top + height / 2] as const;
  return { grey, mask, area, middle, height, width };
}
