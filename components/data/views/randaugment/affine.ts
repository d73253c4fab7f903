import type { Pixels } from '../../types.ts';
import type { RandAugment } from './config.ts';

/** Where a pixel comes from: x' = a x + b y + c, y' = d x + e y + f, in pixels whose centres are at halves. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

export type Outside = Pick<RandAugment, 'fill' | 'interpolation'>;

/**
 * An image of three channels moved by an affine map, as Pillow's `transform(size, AFFINE)`, to the byte
 * (src/libImaging/Geometry.c): in doubles, cut off to bytes; the image goes on at its border as it ends there, and what comes
 * from outside has the colour `fill`. Returns a new image.
 */
export function moveAffine(source: Pixels, map: Affine, { fill, interpolation }: Outside): Pixels {
  const { height, width } = source;
  const [a, b, c, d, e, f] = map;
  const [red, green, blue] = fill;
  const between = interpolation === 'bicubic' ? writeCubic : writeLinear;
  const out = new Uint8Array(source.bytes.length);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const fromX = a * (x + 0.5) + b * (y + 0.5) + c;
      const fromY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (fromX >= 0 && fromX < width && fromY >= 0 && fromY < height)
        between(source.bytes, height, width, fromX - 0.5, fromY - 0.5, out, to);
      else {
        out[to] = red;
        out[to + 1] = green;
        out[to + 2] = blue;
      }
    }
  }
  return { ...source, bytes: out };
}

/** Turns it counter-clockwise about its middle: Pillow's `rotate`. */
export function rotation(degrees: number, { height, width }: Pick<Pixels, 'height' | 'width'>): Affine {
  const turned = degrees % 360;
  const angle = -((turned < 0 ? turned + 360 : turned) * (Math.PI / 180));
  const [cos, sin] = [round15(Math.cos(angle)), round15(Math.sin(angle))];
  const minus = round15(-Math.sin(angle));
  const [middleX, middleY] = [width / 2, height / 2];
  return [
    ...[cos, sin, cos * -middleX + sin * -middleY + middleX],
    ...[minus, cos, minus * -middleX + cos * -middleY + middleY],
  ] as unknown as Affine;
}

function round15(value: number): number {
  return Number(value.toFixed(15));
}

function writeLinear(
  bytes: Uint8Array,
  height: number,
  width: number,
  x: number,
  y: number,
  out: Uint8Array,
  to: number,
): void {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const dx = x - left;
  const dy = y - top;
  const x0 = Math.max(0, left) * 3;
  const x1 = Math.min(width - 1, left + 1) * 3;
  const upper = Math.max(0, top) * width * 3;
  const lower = top + 1 < height ? (top + 1) * width * 3 : upper;
  for (let channel = 0; channel < 3; channel++) {
    const v1 = linear(bytes[upper + x0 + channel]!, bytes[upper + x1 + channel]!, dx);
    const v2 = linear(bytes[lower + x0 + channel]!, bytes[lower + x1 + channel]!, dx);
    out[to + channel] = linear(v1, v2, dy);
  }
}

function linear(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

function writeCubic(
  bytes: Uint8Array,
  height: number,
  width: number,
  x: number,
  y: number,
  out: Uint8Array,
  to: number,
): void {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const dx = x - left;
  const dy = y - top;
  const row = width * 3;
  const x0 = left < 1 ? 0 : (left - 1) * 3;
  const x1 = left < 0 ? 0 : left * 3;
  const x2 = left + 1 < width ? left * 3 + 3 : row - 3;
  const x3 = left + 2 < width ? left * 3 + 6 : row - 3;
  const y1 = top < 0 ? 0 : top * row;
  if (dy === 0) {
    // A row, and nothing of those beside it.
    for (let at = y1; at < y1 + 3; at++, to++)
      out[to] = clip(cubic(bytes[at + x0]!, bytes[at + x1]!, bytes[at + x2]!, bytes[at + x3]!, dx));
    return;
  }
  const y0 = top < 1 ? 0 : y1 - row;
  const y2 = top + 1 < height ? (top + 1) * row : y1;
  const y3 = top + 2 < height ? (top + 2) * row : y2;
  for (let channel = 0; channel < 3; channel++) {
    const [at0, at1, at2, at3] = [y0 + channel, y1 + channel, y2 + channel, y3 + channel];
    const v0 = cubic(bytes[at0 + x0]!, bytes[at0 + x1]!, bytes[at0 + x2]!, bytes[at0 + x3]!, dx);
    const v1 = cubic(bytes[at1 + x0]!, bytes[at1 + x1]!, bytes[at1 + x2]!, bytes[at1 + x3]!, dx);
    const v2 = cubic(bytes[at2 + x0]!, bytes[at2 + x1]!, bytes[at2 + x2]!, bytes[at2 + x3]!, dx);
    const v3 = cubic(bytes[at3 + x0]!, bytes[at3 + x1]!, bytes[at3 + x2]!, bytes[at3 + x3]!, dx);
    out[to + channel] = clip(cubic(v0, v1, v2, v3, dy));
  }
}

function clip(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : value;
}

/** Between the second and the third of four: Pillow's BICUBIC, in its order of operations. */
function cubic(v1: number, v2: number, v3: number, v4: number, d: number): number {
  const p2 = -v1 + v3;
  const p3 = 2 * (v1 - v2) + v3 - v4;
  const p4 = -v1 + v2 - v3 + v4;
  return v2 + d * (p2 + d * (p3 + d * p4));
}
