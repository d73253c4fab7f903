import { PNG } from 'pngjs';
import type { Pixels } from '../types.ts';

/** Red, green, blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** A picture of three channels that is drawn on. */
export interface Canvas extends Pixels {
  readonly channels: 3;
}

export function emptyCanvas(height: number, width: number, colour: Colour = [255, 255, 255]): Canvas {
  const bytes = new Uint8Array(height * width * 3);
  for (let at = 0; at < bytes.length; at += 3) bytes.set(colour, at);
  return { bytes, height, width, channels: 3 };
}

/** A copy to draw on; a grey picture becomes three equal channels. */
export function canvasOf({ bytes, height, width, channels }: Pixels): Canvas {
  const copy = new Uint8Array(height * width * 3);
  // What decoders give may be a Buffer, whose `slice` makes no copy.
  if (channels === 3) copy.set(bytes.subarray(0, copy.length));
  else for (let at = 0; at < copy.length; at++) copy[at] = bytes[Math.floor(at / 3)]!;
  return { bytes: copy, height, width, channels: 3 };
}

/** Puts a picture onto another one; what lies beyond its edges is left out. */
export function paste(
  onto: Canvas,
  picture: Canvas,
  { top, left }: { readonly top: number; readonly left: number },
): void {
  const width = Math.min(picture.width, onto.width - left);
  for (let y = 0; y < Math.min(picture.height, onto.height - top); y++) {
    const row = picture.bytes.subarray(y * picture.width * 3, (y * picture.width + width) * 3);
    onto.bytes.set(row, ((top + y) * onto.width + left) * 3);
  }
}

/**
 * By which whole factor pictures of this longer side are enlarged (2, 3, ...) or reduced (1/2, 1/3, ...), so that they can be
 * looked at: to at least `least` pixels where they are smaller, to at most `most` where they are larger.
 */
export function viewingFactor(longer: number, { least = 128, most = 512 } = {}): number {
  return longer < least ? Math.ceil(least / longer) : 1 / Math.ceil(longer / most);
}

/** Enlarged by repeating pixels, or reduced by taking the mean of squares of them; what is left at the edges is cut off. */
export function rescaled(picture: Canvas, factor: number): Canvas {
  if (factor === 1) return picture;
  const block = Math.max(1, Math.round(1 / factor));
  const repeats = Math.max(1, factor);
  const height = Math.floor(picture.height / block) * repeats;
  const width = Math.floor(picture.width / block) * repeats;
  const out = emptyCanvas(height, width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const top = Math.floor(y / repeats) * block;
      const left = Math.floor(x / repeats) * block;
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let dy = 0; dy < block; dy++) {
          for (let dx = 0; dx < block; dx++)
            sum += picture.bytes[((top + dy) * picture.width + left + dx) * 3 + channel]!;
        }
        out.bytes[(y * width + x) * 3 + channel] = Math.round(sum / block ** 2);
      }
    }
  }
  return out;
}

/**
 * Rows of pictures in one, white between them. A column is as wide as its widest picture, a row as high as its highest.
 *
 * @param rows with as many pictures each, or fewer
 */
export function gridOf(rows: readonly (readonly Canvas[])[], gap = 4): Canvas {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, c) =>
    Math.max(0, ...rows.map((row) => row[c]?.width ?? 0)),
  );
  const heights = rows.map((row) => Math.max(0, ...row.map(({ height }) => height)));
  const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size + gap, gap);
  const out = emptyCanvas(total(heights), total(widths));
  rows.forEach((row, r) => {
    row.forEach((picture, c) => {
      paste(out, picture, { top: total(heights.slice(0, r)), left: total(widths.slice(0, c)) });
    });
  });
  return out;
}

/** An RGB PNG. The same pixels are the same bytes. */
export function encodePng({ bytes, height, width }: Canvas): Buffer {
  const png = new PNG({ width, height, colorType: 2 });
  for (let pixel = 0; pixel < height * width; pixel++) {
    png.data.set(bytes.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    png.data[4 * pixel + 3] = 255;
  }
  return PNG.sync.write(png, { colorType: 2, inputColorType: 6, inputHasAlpha: true });
}
