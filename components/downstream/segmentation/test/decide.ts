import type { MeanLogits } from './windows.ts';

/** Where a picture's pixels lie in a smaller or larger one along one side. */
interface Taps {
  readonly low: Int32Array;
  readonly high: Int32Array;
  /** Share of `high`. */
  readonly share: Float64Array;
}

/** Bilinear, half a pixel from the edges, as PyTorch's `interpolate` with `align_corners=False`. */
function tapsOf(from: number, to: number): Taps {
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const share = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    low[i] = Math.min(Math.floor(at), from - 1);
    high[i] = Math.min(low[i]! + 1, from - 1);
    share[i] = at - low[i]!;
  }
  return { low, high, share };
}

/** How a picture that was seen several times is decided. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/**
 * The class of each pixel of an image, of one or several views of it: logits are resized to the image, and where there are
 * several views, their probabilities are averaged (`aug_test` of mmsegmentation). Of equal ones the first class.
 *
 * Works row by row, so that no more than the probabilities of a row are kept.
 *
 * @param views logits of the image at any size; mirrored ones from the right; `weight`: how often the view counts
 */
export function decide(
  views: readonly { readonly logits: MeanLogits; readonly mirrored: boolean; readonly weight: number }[],
  { height, width }: Size,
  classes: number,
): Uint8Array {
  const labels = new Uint8Array(height * width);
  const taps = views.map(({ logits }) => ({
    rows: tapsOf(logits.height, height),
    columns: tapsOf(logits.width, width),
  }));
  const sums = new Float64Array(width * classes);
  const row = new Float64Array(width * classes);
  const between = new Float64Array(Math.max(...views.map(({ logits }) => logits.width)) * classes);
  for (let y = 0; y < height; y++) {
    views.forEach(({ logits, mirrored, weight }, v) => {
      const { rows, columns } = taps[v]!;
      readRow(logits, rows, y, classes, between);
      const to = views.length === 1 ? sums : row;
      stretchRow(between, columns, classes, mirrored, to);
      if (views.length > 1) addProbabilities(row, classes, weight, sums, v === 0);
    });
    for (let x = 0; x < width; x++) labels[y * width + x] = largest(sums, x * classes, classes);
  }
  return labels;
}

/** A row of the image at the width of the logits. */
function readRow(
  { values, width }: MeanLogits,
  { low, high, share }: Taps,
  y: number,
  classes: number,
  out: Float64Array,
): void {
  const length = width * classes;
  const [above, below, part] = [low[y]! * length, high[y]! * length, share[y]!];
  for (let i = 0; i < length; i++) out[i] = (1 - part) * values[above + i]! + part * values[below + i]!;
}

function stretchRow(
  from: Float64Array,
  { low, high, share }: Taps,
  classes: number,
  mirrored: boolean,
  out: Float64Array,
): void {
  const width = low.length;
  for (let x = 0; x < width; x++) {
    const [left, right, part] = [low[x]! * classes, high[x]! * classes, share[x]!];
    const to = (mirrored ? width - 1 - x : x) * classes;
    for (let k = 0; k < classes; k++) out[to + k] = (1 - part) * from[left + k]! + part * from[right + k]!;
  }
}

function addProbabilities(
  logits: Float64Array,
  classes: number,
  weight: number,
  sums: Float64Array,
  isFirst: boolean,
): void {
  for (let first = 0; first < logits.length; first += classes) {
    const most = logits[first + largest(logits, first, classes)]!;
    let total = 0;
    for (let k = first; k < first + classes; k++) {
      logits[k] = Math.exp(logits[k]! - most);
      total += logits[k]!;
    }
    for (let k = first; k < first + classes; k++)
      sums[k] = (isFirst ? 0 : sums[k]!) + (weight * logits[k]!) / total;
  }
}

function largest(values: Float64Array, first: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[first + k]! > values[first + best]!) best = k;
  return best;
}
