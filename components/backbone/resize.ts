import type { HostTensor } from '../engine/types.ts';
import { splineMatrix } from '../nn/spline.ts';
import { hostTensor } from '../nn/tree.ts';
import type { Backbone } from './checkpoint.ts';
import type { Block, Vit } from './vit.ts';

/** The same network for images of another size: its positions are resized as BEiT's fine-tuning does it. */
export function resizeBackbone(backbone: Backbone, imageSize: number): Backbone {
  const { config, weights } = backbone;
  const [from, to] = [backbone.imageSize / config.patch, imageSize / config.patch];
  if (from === to) return backbone;
  const resized = <T extends Pick<Block<HostTensor>, 'relativePositions'>>(part: T): T =>
    part.relativePositions
      ? { ...part, relativePositions: resizeRelativePositions(part.relativePositions, from, to) }
      : part;
  const blocks = Object.entries(weights.blocks).map(([name, block]) => [name, resized(block)] as const);
  const { positions } = weights;
  const vit: Vit<HostTensor> = {
    ...resized(weights),
    blocks: Object.fromEntries(blocks),
    ...(positions ? { positions: resizePositions(positions, from, to) } : {}),
  };
  return { config, imageSize, weights: vit };
}

/**
 * A table of relative positions [rows, heads] for another number of patches a side (microsoft/unilm,
 * beit/run_class_finetuning.py): its distances are put at 0, 1, 1 + q, 1 + q + q^2, ... so that the largest is that of the
 * new grid, and a cubic spline goes through them; so near distances keep their meaning. The rows of the class token stay.
 */
export function resizeRelativePositions(table: HostTensor, from: number, to: number): HostTensor {
  const heads = table.shape[1]!;
  const [before, after] = [2 * from - 1, 2 * to - 1];
  const grid = splineMatrix(
    geometricPlaces(from - 1, to - 1),
    Array.from({ length: after }, (_, i) => i - (to - 1)),
  );
  const data = table.data as Float32Array;
  const values = resizeGrid(data.subarray(0, before ** 2 * heads), grid, { before, after, channels: heads });
  const all = new Float32Array(values.length + 3 * heads);
  all.set(values);
  all.set(data.subarray(before ** 2 * heads), values.length);
  return hostTensor([after ** 2 + 3, heads], all);
}

/** Places of distances -count..count; the steps grow by q, found as the official code finds it. */
function geometricPlaces(count: number, furthest: number): number[] {
  let [left, right] = [1.01, 1.5];
  let q = left;
  while (right - left > 1e-6) {
    q = (left + right) / 2;
    if ((1 - q ** count) / (1 - q) > furthest) right = q;
    else left = q;
  }
  const far: number[] = [];
  for (let i = 0, place = 1; i < count; i++) {
    far.push(place);
    place += q ** (i + 1);
  }
  return [...far.map((place) => -place).reverse(), 0, ...far];
}

/**
 * Absolute positions [1, 1 + from * from, dim] for another grid: bicubic as `torch.nn.functional.interpolate` does it
 * with `align_corners=False`. That of the class token stays.
 */
export function resizePositions(positions: HostTensor, from: number, to: number): HostTensor {
  const dim = positions.shape[2]!;
  const data = positions.data as Float32Array;
  const grid = bicubicMatrix(from, to);
  const values = resizeGrid(data.subarray(dim), grid, { before: from, after: to, channels: dim });
  const all = new Float32Array(dim + values.length);
  all.set(data.subarray(0, dim));
  all.set(values, dim);
  return hostTensor([1, 1 + to ** 2, dim], all);
}

/** [to, from]; pixels beyond the edge are those of the edge, and the kernel has a = -0.75. */
function bicubicMatrix(from: number, to: number): Float64Array {
  const a = -0.75;
  const kernel = (distance: number): number => {
    const d = Math.abs(distance);
    if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
    return d < 2 ? a * (d ** 3 - 5 * d ** 2 + 8 * d - 4) : 0;
  };
  const weights = new Float64Array(to * from);
  for (let row = 0; row < to; row++) {
    const centre = ((row + 0.5) * from) / to - 0.5;
    const first = Math.floor(centre) - 1;
    for (let tap = first; tap < first + 4; tap++) {
      weights[row * from + Math.min(Math.max(tap, 0), from - 1)]! += kernel(centre - tap);
    }
  }
  return weights;
}

/** Applies the matrix [after, before] along both sides of a grid [before, before, channels]. */
function resizeGrid(
  values: Float32Array,
  matrix: Float64Array,
  { before, after, channels }: { before: number; after: number; channels: number },
): Float32Array {
  const rows = new Float64Array(after * before * channels);
  const width = before * channels;
  for (let y = 0; y < after; y++) {
    for (let k = 0; k < before; k++) {
      const weight = matrix[y * before + k]!;
      for (let i = 0; i < width; i++) rows[y * width + i]! += weight * values[k * width + i]!;
    }
  }
  const out = new Float64Array(after * after * channels);
  for (let y = 0; y < after; y++) {
    for (let x = 0; x < after; x++) {
      const to = (y * after + x) * channels;
      for (let k = 0; k < before; k++) {
        const weight = matrix[x * before + k]!;
        for (let c = 0; c < channels; c++) out[to + c]! += weight * rows[y * width + k * channels + c]!;
      }
    }
  }
  return Float32Array.from(out);
}
