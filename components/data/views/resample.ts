import type { Pixels, Window } from '../types.ts';
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
const HALF = 1 << (PRECISION - 1);

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
 */
export function resample(
  source: Pixels,
  part: Window,
  size: Pick<Window, 'height' | 'width'>,
  window: Window,
  interpolation: Interpolation,
): Pixels {
  const filter = FILTERS[interpolation];
  const across = weightsOf(part.width, size.width, window.left, window.width, filter);
  const down = weightsOf(part.height, size.height, window.top, window.height, filter);
  const top = down.first[0];
  const bottom = down.first[window.height - 1] + down.count[window.height - 1];
  const rows = { ...part, top: part.top + top, height: bottom - top };
  const narrow = resampleRows(source, rows, across);
  return resampleColumns(narrow, top, down);
}

function weightsOf(
  from: number,
  to: number,
  begin: number,
  length: number,
  { support, at }: Filter,
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
    const centre = (begin + place + 0.5) * scale;
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

/** The rows of a part, each made as long as there are weights. */
function resampleRows(source: Pixels, part: Window, weights: Weights): Pixels {
  const { bytes, channels } = source;
  const width = weights.first.length;
  const out = new Uint8Array(part.height * width * channels);
  for (let y = 0; y < part.height; y++) {
    const from = ((part.top + y) * source.width + part.left) * channels;
    const to = y * width * channels;
    if (channels === 3) resampleColours(bytes, from, out, to, weights);
    else resampleGreys(bytes, from, out, to, weights);
  }
  return { bytes: out, height: part.height, width, channels };
}

function resampleColours(
  bytes: Uint8Array,
  row: number,
  out: Uint8Array,
  place: number,
  { first, count, values, most }: Weights,
): void {
  let to = place;
  for (let x = 0; x < first.length; x++) {
    let from = row + first[x] * 3;
    const end = x * most + count[x];
    let [red, green, blue] = [HALF, HALF, HALF];
    for (let k = x * most; k < end; k++, from += 3) {
      const weight = values[k];
      red = (red + Math.imul(bytes[from], weight)) | 0;
      green = (green + Math.imul(bytes[from + 1], weight)) | 0;
      blue = (blue + Math.imul(bytes[from + 2], weight)) | 0;
    }
    out[to++] = clip(red >> PRECISION);
    out[to++] = clip(green >> PRECISION);
    out[to++] = clip(blue >> PRECISION);
  }
}

function resampleGreys(
  bytes: Uint8Array,
  row: number,
  out: Uint8Array,
  place: number,
  { first, count, values, most }: Weights,
): void {
  for (let x = 0; x < first.length; x++) {
    let sum = HALF;
    for (let k = 0; k < count[x]; k++)
      sum = (sum + Math.imul(bytes[row + first[x] + k], values[x * most + k])) | 0;
    out[place + x] = clip(sum >> PRECISION);
  }
}

/** Columns that begin at row `top` of what the weights speak of. */
function resampleColumns(
  { bytes, width, channels }: Pixels,
  top: number,
  { first, count, values, most }: Weights,
): Pixels {
  const row = width * channels;
  const height = first.length;
  const out = new Uint8Array(height * row);
  const sums = new Int32Array(row);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    for (let k = 0; k < count[y]; k++) {
      const weight = values[y * most + k];
      const from = (first[y] - top + k) * row;
      for (let x = 0; x < row; x++) sums[x] = (sums[x] + Math.imul(bytes[from + x], weight)) | 0;
    }
    for (let x = 0; x < row; x++) out[y * row + x] = clip(sums[x] >> PRECISION);
  }
  return { bytes: out, height, width, channels };
}

function clip(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
