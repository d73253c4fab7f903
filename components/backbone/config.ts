import { z } from 'zod';
import type { WiredInput, WiringIssue } from '../../framework/stage/component.ts';
import { expectDivisor } from '../../framework/stage/expect.ts';

/** Sizes by name, as in the ViT paper; layer scales of BEiT's commands. BEiT has no huge one: it gets that of large. */
const SIZES = {
  'base/16': { dim: 768, depth: 12, heads: 12, patch: 16, layerScaleInit: 0.1 },
  'large/16': { dim: 1024, depth: 24, heads: 16, patch: 16, layerScaleInit: 1e-5 },
  'huge/14': { dim: 1280, depth: 32, heads: 16, patch: 14, layerScaleInit: 1e-5 },
} as const;

/** `vit` hands on a name that it doesn't know. */
function explainSize({ input }: { readonly input?: unknown }): string | undefined {
  return typeof input === 'string' ? `is no size: one of ${Object.keys(SIZES).join(', ')}` : undefined;
}

export const vitSchema = z
  .strictObject(
    {
      kind: z.literal('vit').default('vit'),
      dim: z.number().int().positive(),
      depth: z.number().int().positive(),
      heads: z.number().int().positive(),
      /** Side of a patch in pixels; the stride of the tokenizer, so that a patch is a token. */
      patch: z.number().int().positive(),
      mlpRatio: z.number().positive().default(4),
      /** LayerScale (Touvron et al. 2021): initial factor of each residual branch; 0 leaves it out. */
      layerScaleInit: z.number().nonnegative().default(0),
    },
    { error: explainSize },
  )
  .refine(({ dim, heads }) => dim % heads === 0, {
    path: ['heads'],
    error: ({ input }) => `must divide \`dim\`, ${(input as { dim: number }).dim}`,
  })
  .refine(({ dim, mlpRatio }) => Math.round(dim * mlpRatio) >= 1, {
    path: ['mlpRatio'],
    error: 'leaves the MLP no hidden unit: raise it',
  });

export type VitConfig = z.output<typeof vitSchema>;
export type VitInput = z.input<typeof vitSchema>;

/** Patches tile the images. */
export function expectPatches(
  { patch }: VitConfig,
  path: readonly string[],
  train: WiredInput | undefined,
): WiringIssue[] {
  return expectDivisor({ path: [...path, 'patch'], value: patch }, train, 'size', 'patches tile an image');
}

/**
 * A vision transformer: `vit('base/16')`, or sizes of your own. A value inside other configs, not a stage.
 *
 * Other than BEiT's it has learned absolute positions, where BEiT has a table of relative ones that all blocks share (a
 * table a block at fine-tuning), and its keys have a bias, which changes no output. There is no drop path.
 */
export function vit(size: keyof typeof SIZES | VitInput, changes: Partial<VitInput> = {}): VitInput {
  // A name that there isn't is for the schema to refuse, in its place.
  if (typeof size === 'string' && !Object.hasOwn(SIZES, size)) return size as never;
  return { ...(typeof size === 'string' ? SIZES[size] : size), ...changes };
}
