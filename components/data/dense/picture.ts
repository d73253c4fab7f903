import { resample } from '../views/resample.ts';
import type { Source } from '../views/simd/source.ts';
import type { Interpolation } from '../views/view.ts';
import type { Colour } from './fields.ts';
import type { Geometry, Size } from './geometry.ts';

/**
 * The window of a geometry, in three channels: uint8 [window.height, window.width, 3], with bytes of its own. Pillow's
 * resizing, which takes as many pixels as an image shrinks by.
 */
export function windowOf(source: Source, geometry: Geometry, interpolation: Interpolation): Uint8Array {
  const { resized, window, mirrored } = geometry;
  const { height, width } = source;
  if (resized.height === height && resized.width === width) return cutOut(source, geometry);
  const whole = { top: 0, left: 0, height, width };
  const { bytes, channels } = resample(source, whole, resized, window, interpolation, mirrored);
  return channels === 3 ? bytes : colours(bytes);
}

/** The same where no pixel lies between pixels. */
function cutOut(source: Source, { window, mirrored }: Geometry): Uint8Array {
  const { bytes, channels, width } = source.pixels;
  const { top, left, height: rows, width: columns } = window;
  const out = new Uint8Array(rows * columns * 3);
  const [green, blue] = channels === 3 ? [1, 2] : [0, 0];
  const step = mirrored ? -channels : channels;
  for (let y = 0, to = 0; y < rows; y++) {
    const first = ((top + y) * width + left) * channels;
    if (channels === 3 && !mirrored) {
      out.set(bytes.subarray(first, first + 3 * columns), to);
      to += 3 * columns;
      continue;
    }
    for (
      let x = 0, from = mirrored ? first + (columns - 1) * channels : first;
      x < columns;
      x++, from += step
    ) {
      out[to++] = bytes[from]!;
      out[to++] = bytes[from + green]!;
      out[to++] = bytes[from + blue]!;
    }
  }
  return out;
}

/** Three equal channels of one. */
function colours(greys: Uint8Array): Uint8Array {
  const out = new Uint8Array(greys.length * 3);
  for (let pixel = 0, to = 0; pixel < greys.length; pixel++, to += 3) out.fill(greys[pixel]!, to, to + 3);
  return out;
}

/** A picture [height, width, 3] in the top left corner of a canvas [size, size, 3] of one colour. */
export function onCanvas(
  picture: Uint8Array,
  { height, width }: Size,
  size: number,
  fill: Colour,
): Uint8Array {
  if (height === size && width === size) return picture;
  const canvas = new Uint8Array(size * size * 3);
  const row = size * 3;
  const empty = new Uint8Array(row);
  for (let at = 0; at < row; at += 3) empty.set(fill, at);
  for (let y = 0; y < size; y++) {
    const covered = y < height ? width * 3 : 0;
    canvas.set(empty.subarray(covered), y * row + covered);
    if (covered > 0) canvas.set(picture.subarray(y * covered, (y + 1) * covered), y * row);
  }
  return canvas;
}
