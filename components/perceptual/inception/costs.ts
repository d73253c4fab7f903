import type { UseCosts } from '../../../framework/stage/costs.ts';
import { activationCounts, convCounts, sumOf } from '../../nn/costs.ts';
import { type Convolution, MIXED, STEM } from './topology.ts';

/** All 19 convolutions on an enlarged image of `size` pixels a side. */
export function inceptionUse({ upsample }: { readonly upsample: number }, size: number): UseCosts {
  let side = size * upsample;
  const count = ({ shape: [kernel, , inputs, outputs], stride, padding }: Convolution) => {
    side = padding === 'valid' ? Math.floor((side - kernel) / stride) + 1 : Math.ceil(side / stride);
    return [
      convCounts({ height: side, width: side, size: kernel, inputs, outputs, stride }),
      activationCounts(side ** 2 * outputs),
    ];
  };
  const stem = STEM.flatMap((convolution, depth) => {
    const counts = count(convolution);
    // Behind activation_3 and activation_5: 3x3 with a stride of 2, without padding.
    if (depth === 2 || depth === 4) side = Math.floor((side - 3) / 2) + 1;
    return counts;
  });
  const mixed = MIXED.flatMap(({ branch1x1, branch5x5, branch3x3dbl, branchPool }) =>
    [...branch1x1, ...branch5x5, ...branch3x3dbl, ...branchPool].flatMap(count),
  );
  const { parameters, flops, kept } = sumOf([...stem, ...mixed]);
  return { parameters, flops: { conv: flops }, activations: 4 * kept };
}
