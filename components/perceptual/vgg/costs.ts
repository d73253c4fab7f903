import type { UseCosts } from '../../../framework/stage/costs.ts';
import { activationCounts, convCounts, sumOf } from '../../nn/costs.ts';
import { type VggArchitecture, vggConvolutions } from './architecture.ts';

/** All convolutions of a network, and what a forward pass of an image of so many pixels a side takes. */
export function vggUse(architecture: VggArchitecture, size: number): UseCosts {
  let side = size;
  const layers = vggConvolutions(architecture).flatMap(({ inputs, outputs, pooled }) => {
    if (pooled) side = Math.floor(side / 2);
    return [
      convCounts({ height: side, width: side, size: 3, inputs, outputs }),
      activationCounts(side ** 2 * outputs),
    ];
  });
  const { parameters, flops, kept } = sumOf(layers);
  return { parameters, flops: { conv: flops }, activations: 4 * kept };
}
