import type { Pixels } from '../types.ts';

const { fround } = Math;

/**
 * torchvision's `adjust_hue` of a PIL image, in place: to HSV in bytes, the hue moved round, and back, with the rounding of
 * Pillow's Convert.c at every step. Greys stay.
 *
 * @param factor -0.5 to 0.5: half a turn either way
 */
export function turnHue({ bytes, channels }: Pixels, factor: number): void {
  if (channels === 1) return;
  const turn = Math.trunc(factor * 255);
  for (let at = 0; at < bytes.length; at += 3) {
    const [red, green, blue] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!];
    const value = Math.max(red, green, blue);
    const range = value - Math.min(red, green, blue);
    const saturation = range === 0 ? 0 : Math.trunc(fround(range / value) * 255);
    if (saturation === 0) {
      bytes.fill(value, at, at + 3);
      continue;
    }
    const hue = (Math.trunc(hueOf(red, green, blue, value, range) * 255) + turn) & 255;
    write(bytes, at, hue, saturation, value);
  }
}

/** 0 to 1, in float32 as `rgb2hsv_row`. */
function hueOf(red: number, green: number, blue: number, value: number, range: number): number {
  const [r, g, b] = [
    fround((value - red) / range),
    fround((value - green) / range),
    fround((value - blue) / range),
  ];
  const sector = red === value ? fround(b - g) : green === value ? fround(2 + r - b) : fround(4 + g - r);
  return fround((sector / 6 + 1) % 1);
}

/** As `hsv2rgb`. */
function write(out: Uint8Array, at: number, hue: number, saturation: number, value: number): void {
  const turns = (hue * 6) / 255;
  const sector = Math.floor(turns);
  const rest = fround(turns - sector);
  const share = fround(saturation / 255);
  const p = round(value * (1 - share));
  const q = round(value * (1 - fround(share * rest)));
  const t = round(value * (1 - share * (1 - rest)));
  const colours = [
    [value, t, p],
    [q, value, p],
    [p, value, t],
    [p, q, value],
    [t, p, value],
    [value, p, q],
  ][sector % 6]!;
  out.set(colours, at);
}

/** As C: halves away from zero; of a number that isn't negative. */
function round(value: number): number {
  return Math.floor(value + 0.5);
}
