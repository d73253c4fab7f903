import type { Pixels, Window } from '../types.ts';
import type { Workspace } from './simd/kernels.ts';
import type { Source } from './simd/source.ts';
import type { Interpolation } from './view.ts';

/** A filter of Pillow (src/libImaging/Resample.c), and how far it reaches in pixels of the smaller of the two images. */
interface Filter {
  readonly support: number;
  readonly at: (distance: number) => number;
}

/** Cubic convolution (Keys 1981). */
const A = -0.5;

const FILTERS: { readonly [name in Interpolation]: Filter } = {
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    at: (distance) => {
      const x = Math.abs(distance);
      if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
    },
  },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

/** Weights are whole numbers of 2 ** -22, as Pillow's for bytes: products of them and a byte's sum fit 32 bits. */
const PRECISION = 22;

/** For each place along an axis of the result: which places of the source it is made of, with which weights. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `most` weights a place; those past `count` are unused. */
  readonly values: Int32Array;
  readonly most: number;
}

/**
 * A part of an image at another size, in the way of Pillow's `image.crop(part).resize(size, filter)`: rows first, then
 * columns, with rounding to bytes after each; filters are as wide as the image shrinks, so nothing aliases; nothing
 * outside the part counts. The bytes are those of Pillow 11; Pillow 13 begins with the columns where that is less work.
 *
 * @param part of the source; inside it
 * @param size of the whole result
 * @param window which part of the result to compute
 * @param mirrored whether the window is turned left to right
 */
export function resample(
  source: Source,
  part: Window,
  size: Pick<Window, 'height' | 'width'>,
  window: Window,
  interpolation: Interpolation,
  mirrored = false,
): Pixels {
  const { space, channels } = source;
  const { kernels } = space;
  const { height, width } = window;
  const filter = FILTERS[interpolation];
  const across = weightsOf(part.width, size.width, window.left, width, filter, mirrored);
  const down = weightsOf(part.height, size.height, window.top, height, filter);
  // Only rows that the window is made of.
  const top = down.first[0]!;
  const rows = down.first[height - 1]! + down.count[height - 1]! - top;
  const first = down.first.map((row) => row - top);
  const length = width * channels;
  const narrow = space.take(rows * length);
  const along = channels === 3 ? kernels.rowsOfColours : kernels.rowsOfGreys;
  const from = source.addressOf(part.top + top, part.left);
  along(from, source.width * channels, rows, narrow, width, ...addressesOf(space, across));
  const out = space.take(height * length);
  kernels.columns(narrow, length, out, height, ...addressesOf(space, { ...down, first }));
  return { bytes: space.get(out, height * length), height, width, channels };
}

function addressesOf(space: Workspace, { first, count, values, most }: Weights) {
  return [space.put(first), space.put(count), space.put(values), most] as const;
}

function weightsOf(
  from: number,
  to: number,
  begin: number,
  length: number,
  { support, at }: Filter,
  mirrored = false,
): Weights {
  const scale = from / to;
  const shrink = Math.max(scale, 1);
  const reach = support * shrink;
  const most = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const values = new Int32Array(length * most);
  const exact = new Float64Array(most);
  for (let place = 0; place < length; place++) {
    const centre = (begin + (mirrored ? length - 1 - place : place) + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - reach + 0.5));
    const high = Math.min(from, Math.trunc(centre + reach + 0.5));
    let sum = 0;
    for (let k = 0; k < high - low; k++) {
      exact[k] = at((k + low - centre + 0.5) * (1 / shrink));
      sum += exact[k];
    }
    for (let k = 0; k < high - low; k++) {
      const weight = (sum === 0 ? exact[k] : exact[k] / sum) * (1 << PRECISION);
      values[place * most + k] = Math.trunc(weight + (weight < 0 ? -0.5 : 0.5));
    }
    first[place] = low;
    count[place] = high - low;
  }
  return { first, count, values, most };
}
