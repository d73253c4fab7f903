import type { UseCosts } from '../../../framework/stage/costs.ts';
import { blockCounts, denseCounts, normCounts, plainParameters, repeated, sumOf } from '../../nn/costs.ts';
import { DEPTH, type VitForm } from './layout.ts';

/** The whole network, and what a forward pass of a picture of so many pixels a side takes. */
export function vitUse(form: VitForm & { readonly heads: number }, size: number): UseCosts {
  const { dim, heads, patch } = form;
  const patches = Math.floor(size / patch) ** 2;
  const tokens = patches + 1;
  const known = (form.size / patch) ** 2 + 1;
  const { parameters, flops, kept } = sumOf([
    denseCounts({ rows: patches, inputs: 3 * patch ** 2, outputs: dim }),
    plainParameters((1 + known) * dim),
    repeated(DEPTH, blockCounts({ tokens, dim, heads, hidden: 4 * dim, keyBias: true })),
    normCounts({ rows: 0, width: dim }),
  ]);
  return { parameters, flops: { dense: flops }, activations: 4 * kept };
}
