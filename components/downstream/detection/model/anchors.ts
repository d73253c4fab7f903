import * as tf from '@tensorflow/tfjs-core';
import type { MaskRcnnModelConfig } from './config.ts';

/** A map of the feature pyramid of a square canvas. */
export interface Level {
  /** Places a side. */
  readonly side: number;
  /** Pixels from place to place. */
  readonly stride: number;
}

/**
 * The five levels of a canvas in patches: two finer than the patches, the patches, and two coarser. At patch 16 the strides are
 * 4, 8, 16, 32 and 64. Of the fifth only proposals are made.
 *
 * @throws Error if the patches a side are not even: the maps of the levels could not be added
 */
export function levelsOf(size: number, patch: number): Level[] {
  const patches = size / patch;
  if (patches % 2 !== 0)
    throw new Error(`${size} pixels are ${patches} patches of ${patch}, not an even number`);
  const sides = [4 * patches, 2 * patches, patches, patches / 2, Math.ceil(patches / 4)];
  // As torchvision: whole pixels, also where the last map has a place more than fits.
  return sides.map((side, index) => ({ side, stride: index < 4 ? size / side : Math.floor(size / side) }));
}

/** Anchors around (0, 0), float32 [ratios * 4]: whole pixels, halves to the even one, as PyTorch rounds. */
function cellAnchors(side: number, ratios: readonly number[]): number[] {
  return ratios.flatMap((ratio) => {
    const root = Math.fround(Math.sqrt(Math.fround(ratio)));
    const width = Math.fround(Math.fround(1 / root) * side);
    const height = Math.fround(root * side);
    const [x, y] = [toEven(width / 2), toEven(height / 2)];
    return [-x, -y, x, y];
  });
}

function toEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/**
 * The anchors of each level, float32 [side * side * ratios, 4] (x0, y0, x1, y1): row by row, the ratios of a place one after
 * another. They may reach beyond the canvas (torchvision, `AnchorGenerator`).
 */
export function anchorsOf(
  levels: readonly Level[],
  { scale, ratios }: MaskRcnnModelConfig['anchors'],
): tf.Tensor2D[] {
  return levels.map(({ side, stride }) => {
    const cell = cellAnchors(scale * stride, ratios);
    const values = new Float32Array(side * side * cell.length);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const at = [column * stride, row * stride];
        const first = (row * side + column) * cell.length;
        for (const [index, value] of cell.entries()) values[first + index] = value + at[index % 2]!;
      }
    }
    return tf.tensor2d(values, [side * side * ratios.length, 4]);
  });
}
