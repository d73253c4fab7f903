import { z } from 'zod';
import type {
  SmokeChanges,
  SmokeContext,
  WiredInput,
  WiringIssue,
} from '../../../framework/stage/component.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { expectAtMost, expectEqual, factOf } from '../../../framework/stage/expect.ts';
import { expectPatches, vitSchema } from '../../backbone/config.ts';
import { smokeVit } from '../../backbone/smoke.ts';
import { smokeView } from '../../data/smoke.ts';
import { expectSameShift, expectSize, seenBy } from '../../data/views/expect.ts';
import { viewSchema } from '../../data/views/view.ts';
import { smokeGeometry } from '../../nn/smoke.ts';
import {
  askForLength,
  defineRecipe,
  dropPath,
  noDecay,
  oneLength,
  smokeRecipe,
} from '../../training/recipe.ts';
import { expectMasks, maskFields } from '../mask-fields.ts';
import { costs } from './costs.ts';

/** What a tokenizer sees: a picture of another size. */
const tokensSchema = z.strictObject({
  /** Absent: that in which a token is a patch, whatever the tokenizer's stride is. */
  size: z.int().positive().optional(),
  /** BEiT: lanczos. */
  interpolation: viewSchema.shape.interpolation,
});

const recipe = defineRecipe({
  batchSize: 64,
  learningRate: 1.5e-3,
  minLearningRate: 1e-5,
  warmup: { steps: 50, epochs: 10 },
  weightDecay: 0.05,
  clipNorm: 3,
});

const schema = z
  .strictObject({
    /** The network that is pretrained: `vit({...})`. */
    backbone: vitSchema,
    ...maskFields,
    ...recipe.fields,
    noDecay,
    dropPath,
    /** What the backbone sees of each image. */
    view: viewSchema.prefault({}),
    /**
     * What the tokenizer sees of it, the same crop and flip in a picture of its own; absent: the same picture. BEiT: 112 pixels
     * where the backbone sees 224, since its tokenizer's stride is 8. `{}` fits tokenizers of several strides.
     */
    tokens: tokensSchema.optional(),
  })
  .check(...oneLength);

export type MaskedImageModellingConfig = z.output<typeof schema>;

/**
 * BEiT's pretraining (arXiv 2106.08254): predict the tokenizer's codes of masked patches. Rates, decay, clipping and
 * masks are those of its ImageNet-1K command for ViT-B; batches there have 2,048 images.
 *
 * Other than in BEiT: images are only mirrored unless `view` says more (BEiT: random resized crops in two sizes, colour
 * jitter).
 */
export const maskedImageModelling = askForLength(
  defineComponent({
    role: 'pretraining',
    kind: 'masked-image-modelling',
    schema,
    run: new URL('./stage.ts', import.meta.url).href,
    load: new URL('./load.ts', import.meta.url).href,
    exports: {
      module: new URL('./export.ts', import.meta.url).href,
      formats: { beit: '.safetensors', timm: '.safetensors', onnx: '.onnx' },
    },
    derive: recipe.derive,
    check: recipe.check,
    provides: ({ backbone, view }) => ({
      depth: backbone.depth,
      patch: backbone.patch,
      size: view.size,
      backbone,
    }),
    costs,
    smoke: smokePretraining,
    expects: ({ backbone, batchSize, view, tokens, ...masks }, { train, tokenizer }) => [
      ...expectSize(view, train),
      ...expectShift({ backbone, view, tokens }, train, tokenizer),
      ...expectGrids({ backbone, tokens }, seenBy(view, train), tokenizer),
      ...expectPatches(backbone, ['backbone'], seenBy(view, train)),
      ...expectMasks(masks, backbone.patch, seenBy(view, train)),
      ...expectAtMost({ path: ['batchSize'], value: batchSize }, train, 'images'),
    ],
  }),
);

/** A crop that shifts wants pictures of one size. */
function expectShift(
  { backbone, view, tokens }: Pick<MaskedImageModellingConfig, 'backbone' | 'view' | 'tokens'>,
  train: WiredInput | undefined,
  tokenizer: WiredInput | undefined,
): WiringIssue[] {
  if (!tokens) return [];
  const [seen, stride] = [factOf(seenBy(view, train), 'size'), factOf(tokenizer, 'stride')];
  const fitting = seen === undefined || stride === undefined ? undefined : (seen / backbone.patch) * stride;
  const size = tokens.size ?? fitting;
  return size === undefined ? [] : expectSameShift(view, { path: ['tokens', 'size'], size }, train);
}

/** There are as many tokens as patches. */
function expectGrids(
  { backbone, tokens }: Pick<MaskedImageModellingConfig, 'backbone' | 'tokens'>,
  train: WiredInput | undefined,
  tokenizer: WiredInput | undefined,
): WiringIssue[] {
  if (!tokens) {
    const hint = 'make them equal: a patch is a token';
    return expectEqual({ path: ['backbone', 'patch'], value: backbone.patch }, tokenizer, 'stride', hint);
  }
  const [size, stride] = [factOf(train, 'size'), factOf(tokenizer, 'stride')];
  if (size === undefined || stride === undefined || size % backbone.patch !== 0) return [];
  const side = size / backbone.patch;
  if (tokens.size === undefined || tokens.size === side * stride) return [];
  const hint = `a patch is a token: ${side} of them a side, and the stride of ${tokenizer!.name} is ${stride}`;
  return [{ path: ['tokens', 'size'], message: `expected ${side * stride}`, hint }];
}

function smokePretraining(
  { backbone, view, tokens, ...recipe }: MaskedImageModellingConfig,
  { inputs }: SmokeContext,
): SmokeChanges {
  const size = view.size ?? factOf(inputs.train, 'size') ?? 0;
  const smaller = smokeGeometry({ size, stride: backbone.patch });
  const stride = inputs.tokenizer?.smoke.stride;
  const side = smaller.size / smaller.stride;
  return {
    ...smokeRecipe(recipe),
    backbone: smokeVit(backbone, smaller.stride),
    view: smokeView(view, smaller.size),
    minMaskPatches: undefined,
    ...(tokens?.size !== undefined && typeof stride === 'number' ? { tokens: { size: side * stride } } : {}),
  };
}
