import { z } from 'zod';
import { added } from '../../framework/stage/added.ts';
import type { WiredInput, WiringIssue } from '../../framework/stage/component.ts';
import { constant } from '../../framework/stage/constant.ts';
import type { InputOf } from '../../framework/stage/define.ts';
import { expectDivisor } from '../../framework/stage/expect.ts';

/**
 * Sizes by name, as in the ViT papers (Dosovitskiy et al. 2021, Touvron et al. 2021); layer scales of BEiT's commands.
 * BEiT has neither tiny and small ones nor a huge one: they get those of base and of large.
 */
const SIZES = {
  'tiny/16': { dim: 192, depth: 12, heads: 3, patch: 16, layerScaleInit: 0.1 },
  'small/16': { dim: 384, depth: 12, heads: 6, patch: 16, layerScaleInit: 0.1 },
  'base/16': { dim: 768, depth: 12, heads: 12, patch: 16, layerScaleInit: 0.1 },
  'large/16': { dim: 1024, depth: 24, heads: 16, patch: 16, layerScaleInit: 1e-5 },
  'huge/14': { dim: 1280, depth: 32, heads: 16, patch: 14, layerScaleInit: 1e-5 },
} as const;

/** `vit` hands on a name that it doesn't know. */
function explainSize({ input }: { readonly input?: unknown }): string | undefined {
  return typeof input === 'string' ? `is no size: one of ${Object.keys(SIZES).join(', ')}` : undefined;
}

const channels = (each: z.ZodNumber) => constant(z.tuple([each, each, each]));

/** How pixels in [0, 1] get to the patches: (pixel - mean) / deviation, red, green, blue. */
export const pixelsSchema = z.strictObject({
  /** ImageNet's, as in BEiT's ImageNet-1K command; 0.5 in its others. */
  mean: channels(z.number()).default([0.485, 0.456, 0.406]),
  /** The same: 0.5 in BEiT's others. */
  deviation: channels(z.number().positive()).default([0.229, 0.224, 0.225]),
});

export const vitSchema = z
  .strictObject(
    {
      /** The only kind. */
      kind: z.literal('vit').default('vit'),
      /** Numbers a token. */
      dim: z.number().int().positive(),
      /** Blocks. */
      depth: z.number().int().positive(),
      /** Heads of each attention; a divisor of `dim`. */
      heads: z.number().int().positive(),
      /** Side of a patch in pixels; the stride of the tokenizer, so that a patch is a token. */
      patch: z.number().int().positive(),
      /** Units of a block's MLP, as a multiple of `dim`. */
      mlpRatio: z.number().positive().default(4),
      /**
       * LayerScale (Touvron et al. 2021): initial factor of each residual branch; 0 leaves it out. Sizes by name have
       * BEiT's: 0.1, large 1e-5. Small networks that train for some hundred steps do better without.
       */
      layerScaleInit: z.number().nonnegative().default(0),
      /**
       * How blocks know places. `relative`, as BEiT: a number for each head and each distance of two patches, added to the
       * scores; a table that all blocks share, and one a block at fine-tuning. `absolute`: a learned vector for each
       * token, as in other vision transformers.
       */
      positions: z.enum(['relative', 'absolute', 'none']).default('relative'),
      /** Whether keys have a bias. It changes no output; BEiT has none, other vision transformers do. */
      keyBias: z.boolean().default(false),
      /**
       * Deviation of the random numbers that weights start from, cut at one deviation. BEiT's 0.02 is half of 1 / sqrt(dim) for
       * a dim of 768. Narrow networks that train for some hundred steps learn sooner from wider ones.
       */
      initDeviation: added(z.number().positive().default(0.02), { was: 0.02 }),
      pixels: pixelsSchema.prefault({}),
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

/** Sizes and options of a vision transformer, defaults applied. */
export type VitConfig = z.output<typeof vitSchema>;
/** The same as an experiment gives it: fields with a default may be left out. */
export type VitInput = InputOf<typeof vitSchema>;

/** Patches tile the images. */
export function expectPatches(
  { patch }: Pick<VitConfig, 'patch'>,
  path: readonly string[],
  train: WiredInput | undefined,
): WiringIssue[] {
  return expectDivisor({ path: [...path, 'patch'], value: patch }, train, 'size', 'patches tile an image');
}

/**
 * The vision transformer of BEiT (arXiv 2106.08254; microsoft/unilm, beit/modeling_pretrain.py): `vit('base/16')`, or
 * sizes of your own. A value inside other configs, not a stage. Drop path is a field of the trainings.
 */
export function vit(size: keyof typeof SIZES | VitInput, changes: Partial<VitInput> = {}): VitInput {
  // A name that there isn't is for the schema to refuse, in its place.
  if (typeof size === 'string' && !Object.hasOwn(SIZES, size)) return size as never;
  return { ...(typeof size === 'string' ? SIZES[size] : size), ...changes };
}
