import type { Pixels, Window } from '../../../../../components/data/types.ts';
import type { Interpolation } from '../../../../../components/data/views/view.ts';

/** Filters and how far they reach, after src/libImaging/Resample.c of Pillow. */
const FILTERS: { readonly [name in Interpolation]: readonly [reach: number, at: (x: number) => number] } = {
  bilinear: [1, (x) => Math.max(0, 1 - Math.abs(x))],
  bicubic: [
    2,
    (distance) => {
      const x = Math.abs(distance);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
    },
  ],
  lanczos: [3, (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0)],
};

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** Pillow's resize of a part, number by number, with integers that can't overflow. */
export function plainResample(
  source: Pixels,
  part: Window,
  size: Pick<Window, 'height' | 'width'>,
  interpolation: Interpolation,
): Pixels {
  const { channels } = source;
  const start = (y: number) => ((part.top + y) * source.width + part.left) * channels;
  const cut = Uint8Array.from({ length: part.height * part.width * channels }, (_, i) => {
    const row = part.width * channels;
    return source.bytes[start(Math.floor(i / row)) + (i % row)]!;
  });
  const along = (bytes: Uint8Array, count: number, from: number, to: number, step: number) =>
    alongAxis(bytes, { count, from, to, step }, FILTERS[interpolation]);
  // Rows of pixels, then columns of rows.
  const narrow = along(cut, part.height, part.width, size.width, channels);
  const bytes = along(narrow, 1, part.height, size.height, size.width * channels);
  return { bytes, ...size, channels };
}

/** `count` times: `from` places of `step` bytes become `to` places. */
function alongAxis(
  bytes: Uint8Array,
  { count, from, to, step }: { count: number; from: number; to: number; step: number },
  [reach, at]: (typeof FILTERS)[Interpolation],
): Uint8Array {
  const shrink = Math.max(from / to, 1);
  const out = new Uint8Array(count * to * step);
  for (let place = 0; place < to; place++) {
    const centre = ((place + 0.5) * from) / to;
    const low = Math.max(0, Math.trunc(centre - reach * shrink + 0.5));
    const high = Math.min(from, Math.trunc(centre + reach * shrink + 0.5));
    const exact = Array.from({ length: high - low }, (_, k) => at((k + low - centre + 0.5) * (1 / shrink)));
    const total = exact.reduce((sum, weight) => sum + weight, 0);
    const weights = exact.map((weight) => {
      const scaled = (total === 0 ? weight : weight / total) * 2 ** 22;
      return Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    });
    for (let n = 0; n < count; n++) {
      for (let i = 0; i < step; i++) {
        const first = (n * from + low) * step + i;
        const sum = weights.reduce((all, weight, k) => all + weight * bytes[first + k * step]!, 2 ** 21);
        out[(n * to + place) * step + i] = Math.min(255, Math.max(0, Math.floor(sum / 2 ** 22)));
      }
    }
  }
  return out;
}
