import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ConfigIssue } from '../../../framework/stage/component.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { expectDivisor } from '../../../framework/stage/expect.ts';
import { pixelsSchema } from '../../backbone/config.ts';
import { weightsField, weightsFiles } from '../../weights/file.ts';
import { vitUse } from './costs.ts';
import { LAYOUTS, VIT_LAYERS, type VitLayout } from './layout.ts';

const count = z.int().positive();

const schema = z.strictObject({
  /** `file('vit-b-300ep.pth.tar')`: a plain vision transformer of 12 blocks with a class token and absolute positions. */
  weights: weightsField,
  /** Whose names the file has: https://github.com/facebookresearch/moco-v3, DINO's, or timm's. */
  layout: z.enum(Object.keys(LAYOUTS) as VitLayout[]),
  /** Those of ViT-B/16 unless said. */
  dim: count.default(768),
  /** ViT-S has 6 in DINO, 12 in MoCo v3. */
  heads: count.default(12),
  /** Side of a patch in pixels. */
  patch: count.default(16),
  /** Side of the pictures that the positions in the file are for. For others they are resized, as DINO does it. */
  size: count.default(224),
  /** How pixels get to the patches; ImageNet's mean and deviation unless said, as in MoCo v3 and DINO. */
  pixels: pixelsSchema.prefault({}),
});

export type VitConfig = z.output<typeof schema>;

/** The smallest file of its kind, random numbers of width 8 with MoCo v3's names: see make-smoke.py. */
const smokeFile = fileURLToPath(new URL('./smoke.pth', import.meta.url));

/**
 * A vision transformer as a perceptual network, with weights that were trained elsewhere. PeCo's is MoCo v3's ViT-B, of
 * which it compares blocks 3, 6, 9 and 12 (remembered, not found in a source): `layers: ['block3', 'block6', 'block9',
 * 'block12']`. What a layer gives is the tokens of the patches as the block leaves them.
 */
export const vitFeatures = defineComponent({
  role: 'network',
  kind: 'vit',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  load: new URL('./load.ts', import.meta.url).href,
  files: ({ layout }, { weights }) => weightsFiles(weights, LAYOUTS[layout].published),
  // Nothing of it depends on a seed: all seeds of an experiment share one.
  derive: () => ({ seed: 0 }),
  offers: VIT_LAYERS,
  check: checkSizes,
  expects: ({ patch }, { train }) =>
    expectDivisor({ path: ['patch'], value: patch }, train, 'size', 'patches tile an image'),
  use: vitUse,
  costs: () => ({ parameters: 0 }),
  smoke: () => ({
    weights: { file: smokeFile, sha256: undefined },
    layout: 'moco-v3',
    ...{ dim: 8, heads: 2, patch: 8, size: 32 },
  }),
});

function checkSizes({ dim, heads, patch, size }: VitConfig): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  if (dim % heads !== 0) issues.push({ path: ['heads'], message: `must divide \`dim\`, ${dim}` });
  if (size % patch !== 0) issues.push({ path: ['patch'], message: `must divide \`size\`, ${size}` });
  return issues;
}
