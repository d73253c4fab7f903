import type { Pixels } from '../types.ts';

/**
 * What Pillow's ImageEnhance and torchvision's `adjust_*` do to the colours of bytes, to the byte (Pillow 11 on x86-64,
 * src/libImaging: Blend.c, Convert.c): a picture is blended in float32 with a plainer one of itself and cut off, not
 * rounded, to bytes. Pixels are changed in place: callers own them.
 */

/** 256 bytes: what becomes of each. */
export type Table = Uint8Array;

/** Luma of 8 bits: `L` of Pillow's convert, ITU-R 601 in 16 bits. */
const RED = 19595;
const GREEN = 38470;
const BLUE = 7471;
const ROUND = 0x8000;

const { fround } = Math;

/** Blends every byte with one: 0 for brightness, the mean of the grey image for contrast. */
export function blendTable(plain: number, factor: number): Table {
  const alpha = fround(factor);
  const table = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++)
    table[byte] = clip(Math.trunc(fround(plain + fround(alpha * (byte - plain)))));
  return table;
}

/** One table after another; absent: every byte stays. */
export function compose(first: Table | undefined, second: Table): Table {
  if (!first) return second;
  const table = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) table[byte] = second[first[byte]!]!;
  return table;
}

/** Every byte by its table. */
export function mapBytes({ bytes }: Pixels, table: Table): void {
  for (let at = 0; at < bytes.length; at++) bytes[at] = table[bytes[at]!]!;
}

/** What each channel adds to the grey of a pixel, by its byte: `red` rounds for all. */
export interface Luma {
  readonly red: Int32Array;
  readonly green: Int32Array;
  readonly blue: Int32Array;
}

/** The grey of what bytes are after a table; absent: as they are. */
export function lumaOf(table?: Table): Luma {
  const luma = { red: new Int32Array(256), green: new Int32Array(256), blue: new Int32Array(256) };
  for (let at = 0; at < 256; at++) {
    const byte = table ? table[at]! : at;
    luma.red[at] = RED * byte + ROUND;
    luma.green[at] = GREEN * byte;
    luma.blue[at] = BLUE * byte;
  }
  return luma;
}

/** Sum of the bytes of the grey image. */
export function greySum({ bytes, channels }: Pixels, { red, green, blue }: Luma): number {
  const next = channels === 1 ? 0 : 1;
  let sum = 0;
  for (let at = 0; at < bytes.length; at += channels)
    sum += (red[bytes[at]!]! + green[bytes[at + next]!]! + blue[bytes[at + 2 * next]!]!) >> 16;
  return sum;
}

/** How far a channel ends from the grey of its pixel, by how far it is, from -255 to 255. */
export function saturationEnds(factor: number): Float32Array {
  const alpha = fround(factor);
  const ends = new Float32Array(511);
  for (let distance = -255; distance < 256; distance++) ends[255 + distance] = alpha * distance;
  return ends;
}

/** ImageEnhance.Color, after a table: each pixel is blended with its own grey. Greys stay. */
export function saturate(pixels: Pixels, ends: Float32Array, table: Table): void {
  const { bytes, channels } = pixels;
  if (channels === 1) {
    mapBytes(pixels, table);
    return;
  }
  for (let at = 0; at < bytes.length; at += 3) {
    const red = table[bytes[at]!]!;
    const green = table[bytes[at + 1]!]!;
    const blue = table[bytes[at + 2]!]!;
    const grey = (RED * red + GREEN * green + BLUE * blue + ROUND) >> 16;
    const zero = 255 - grey;
    bytes[at] = clip(fround(grey + ends[zero + red]!) | 0);
    bytes[at + 1] = clip(fround(grey + ends[zero + green]!) | 0);
    bytes[at + 2] = clip(fround(grey + ends[zero + blue]!) | 0);
  }
}

function clip(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** Every byte stays. */
export const SAME: Table = Uint8Array.from({ length: 256 }, (_, byte) => byte);
