import type { Pixels } from '../../types.ts';
import { saturationEnds } from '../colour.ts';

const { fround } = Math;

/**
 * Pillow's ImageEnhance.Sharpness, to the byte: blended with what ImageFilter.SMOOTH makes of the image, in which each pixel
 * is a mean of 3 x 3 with weight 5 in the middle, and the border stays. Returns a new image.
 */
export function sharpen(source: Pixels, factor: number): Pixels {
  const { bytes, height, width, channels } = source;
  const out = new Uint8Array(bytes);
  const ends = saturationEnds(factor);
  const row = width * channels;
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * row + channels; at < (y + 1) * row - channels; at++) {
      const above = bytes[at - row - channels]! + bytes[at - row]! + bytes[at - row + channels]!;
      const below = bytes[at + row - channels]! + bytes[at + row]! + bytes[at + row + channels]!;
      const value = bytes[at]!;
      const sum = above + below + bytes[at - channels]! + 5 * value + bytes[at + channels]!;
      // Rounded: sums of thirteenths are never halves, so float32 rounds them as whole numbers do.
      const smooth = Math.floor((2 * sum + 13) / 26);
      const mixed = fround(smooth + ends[255 + value - smooth]!);
      out[at] = mixed <= 0 ? 0 : mixed >= 255 ? 255 : mixed;
    }
  }
  return { ...source, bytes: out };
}
