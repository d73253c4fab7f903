/*
 * Sizes of a smoke run, as functions of the real ones: components that fit together at full size fit together at these,
 * although none of them sees the other. See "Smoke sizes" in ARCHITECTURE.md. No tensors here: configs import it.
 */

/** Pixels a side up to which pictures, patches and strides stay as they are. */
export const smokeSize = 32;

/** Tokens a side of larger pictures. */
const tokens = 4;

/** Blocks of a vision transformer, at most. */
export const smokeDepth = 4;

/** Pictures of so many pixels a side, in patches or tokens of so many. */
export interface Geometry {
  readonly size: number;
  readonly stride: number;
}

/**
 * 4 x 4 tokens of half the stride: 224 in patches of 16 becomes 32 in patches of 8, 112 with a stride of 8 becomes 16 with
 * a stride of 4. Pictures of at most 32 pixels stay.
 */
export function smokeGeometry({ size, stride }: Geometry): Geometry {
  if (size <= smokeSize) return { size, stride };
  const half = stride % 2 === 0 ? stride / 2 : stride;
  return { size: tokens * half, stride: half };
}

/** Number of a block, counted from 1, in a network of at most `smokeDepth` blocks: 3, 6, 9, 12 of 12 become 1, 2, 3, 4. */
export function smokeLayer(layer: number, depth: number): number {
  return depth <= smokeDepth ? layer : Math.max(1, Math.round((layer * smokeDepth) / depth));
}
