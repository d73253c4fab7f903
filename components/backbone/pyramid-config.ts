import { z } from 'zod';
import { constant } from '../../framework/stage/constant.ts';
import {
  activationCounts,
  type Counts,
  denseCounts,
  normCounts,
  plainParameters,
  sumOf,
} from '../nn/costs.ts';

const block = z.int().positive();

/**
 * For tasks that look at maps: of which blocks the four maps of the pyramid are made, counted from 1. Absent: `usualLayers`.
 */
export const layersField = constant(z.tuple([block, block, block, block])).optional();

export type Layers = readonly [number, number, number, number];

/**
 * The blocks whose outputs become maps where a config doesn't say: after a third, half, two thirds of the depth and at its
 * end, counted from 1. Of 12: 4, 6, 8, 12, BEiT's `out_indices` [3, 5, 7, 11], which count from 0.
 */
export function usualLayers(depth: number): Layers {
  const at = (share: number) => Math.max(1, Math.round(depth * share));
  return [at(1 / 3), at(1 / 2), at(2 / 3), depth];
}

/** The name of its batch norm. */
export const pyramidNorm = 'pyramid';

/** How much finer than the patches each map is. */
export const pyramidFactors = [4, 2, 1, 1 / 2] as const;

/** Parameters and operations of the pyramid (pyramid.ts) of side * side patches. ViT-B: 7,081,728 parameters. */
export function pyramidCounts(dim: number, side: number): Counts {
  const upsampling = (rows: number) =>
    sumOf([denseCounts({ rows, inputs: dim, outputs: 4 * dim, bias: false }), plainParameters(dim)]);
  const [places, finer] = [side ** 2, (2 * side) ** 2];
  return sumOf([
    upsampling(places),
    normCounts({ rows: finer, width: dim }),
    activationCounts(2 * finer * dim),
    upsampling(finer),
    upsampling(places),
  ]);
}
