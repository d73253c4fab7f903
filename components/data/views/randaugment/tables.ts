import type { Pixels } from '../../types.ts';
import type { Table } from '../colour.ts';

/** What becomes of each byte, as Pillow's ImageOps and timm have it. */
function tableOf(become: (byte: number) => number): Table {
  return Uint8Array.from({ length: 256 }, (_, byte) => become(byte));
}

export function invertTable(): Table {
  return tableOf((byte) => 255 - byte);
}

/** 0 bits are none: black, as in the Pillow of BEiT's days; Pillow 12 refuses it. */
export function posterizeTable(bits: number): Table {
  const mask = 256 - 2 ** (8 - bits);
  return tableOf((byte) => byte & mask);
}

export function solarizeTable(from: number): Table {
  return tableOf((byte) => (byte < from ? byte : 255 - byte));
}

/** timm's own: darker bytes become lighter. */
export function solarizeAddTable(add: number): Table {
  return tableOf((byte) => (byte < 128 ? Math.min(255, byte + add) : byte));
}

/** From the darkest to the lightest byte of a channel: stretched to 0 and 255. */
export function autoContrastTable(counts: ArrayLike<number>): Table {
  const present = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => counts[byte]! > 0);
  const [low, high] = [present[0] ?? 0, present.at(-1) ?? 0];
  if (high <= low) return tableOf((byte) => byte);
  const scale = 255 / (high - low);
  const offset = -low * scale;
  return tableOf((byte) => Math.max(0, Math.min(255, Math.trunc(byte * scale + offset))));
}

/** As many pixels in each range of bytes, as far as that can be. */
export function equalizeTable(counts: ArrayLike<number>): Table {
  const all = Array.from(counts);
  const present = all.filter((count) => count > 0);
  const sum = all.reduce((total, count) => total + count, 0);
  const step = present.length <= 1 ? 0 : Math.floor((sum - present.at(-1)!) / 255);
  if (step === 0) return tableOf((byte) => byte);
  let before = Math.floor(step / 2);
  return tableOf((byte) => {
    const become = Math.min(255, Math.floor(before / step));
    before += all[byte]!;
    return become;
  });
}

/** Maps each of three channels by a table made of how often it has each byte. In place. */
export function mapChannels({ bytes }: Pixels, make: (counts: Int32Array) => Table): void {
  const counts = new Int32Array(3 * 256);
  for (let at = 0; at < bytes.length; at += 3) {
    counts[bytes[at]!]!++;
    counts[256 + bytes[at + 1]!]!++;
    counts[512 + bytes[at + 2]!]!++;
  }
  const [red, green, blue] = [0, 256, 512].map((first) => make(counts.subarray(first, first + 256)));
  for (let at = 0; at < bytes.length; at += 3) {
    bytes[at] = red![bytes[at]!]!;
    bytes[at + 1] = green![bytes[at + 1]!]!;
    bytes[at + 2] = blue![bytes[at + 2]!]!;
  }
}
