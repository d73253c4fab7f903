import type { Pixels, Window } from '../types.ts';

/** A part of an image, with bytes of its own. */
export function cut(source: Pixels, { top, left, height, width }: Window): Pixels {
  const { bytes, channels } = source;
  const row = width * channels;
  const first = (top * source.width + left) * channels;
  // Not `slice`: of a Buffer that is no copy.
  if (width === source.width)
    return { bytes: new Uint8Array(bytes.subarray(first, first + height * row)), height, width, channels };
  const out = new Uint8Array(height * row);
  for (let y = 0; y < height; y++) {
    const from = first + y * source.width * channels;
    out.set(bytes.subarray(from, from + row), y * row);
  }
  return { bytes: out, height, width, channels };
}
