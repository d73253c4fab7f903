import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { StageContext, StageFunction } from '../../../framework/stage/contract.ts';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { saveBackbone } from '../../backbone/checkpoint.ts';
import { dropPathNoise } from '../../backbone/drop-path.ts';
import { openLoader } from '../../data/loader.ts';
import { reportSkipped } from '../../data/skipped.ts';
import type { Dataset } from '../../data/types.ts';
import { type Picture, sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import { random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';
import { loadChecked } from '../../tokenizer/checked.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { fit } from '../../training/fit.ts';
import { openImages } from '../../training/images.ts';
import { saveTree } from '../../weights/safetensors.ts';
import { maskIssues, maskingOf } from '../mask-fields.ts';
import { maskedImages } from '../masked-images.ts';
import { batchMasks, type MaskingOptions } from '../masking.ts';
import type { MaskedImageModellingConfig } from './config.ts';
import { mimObjective } from './model.ts';

interface Inputs {
  readonly train: Dataset;
  readonly tokenizer: Tokenizer;
}

/** Images in `masks.png`. */
const shownImages = 8;

/**
 * Pretrains the backbone and writes `backbone.safetensors`, `backbone.json`, and what only pretraining needs as
 * `head.safetensors`; `masks.png` shows the first images that it saw, and what of them was masked.
 */
export const run: StageFunction<MaskedImageModellingConfig, Inputs> = reportSkipped(async (context) => {
  const { config, seed } = context;
  const { backbone, batchSize, view, tokens, dropPath } = config;
  const dataset = await context.inputs.train.load();
  const tokenizer = await loadChecked(context.inputs.tokenizer);
  const imageSize = sizeOf(view, dataset);
  const side = imageSize / backbone.patch;
  checkGrids(config, { imageSize, stride: tokenizer.stride });
  const masking = maskingOf(config, side);
  const engine = await openEngine(context.engine);
  const objective = mimObjective(config, tokenizer, { imageSize, seed });
  const { parameters, last } = await fit(context, engine, objective, {
    recipe: config,
    images: dataset.count,
    batches(plan) {
      const { microBatch } = plan;
      const pictures: { readonly [name: string]: Picture } = {
        patches: {},
        ...(tokens ? { tokens: { size: side * tokenizer.stride, interpolation: tokens.interpolation } } : {}),
      };
      const options = { purpose: 'pretraining', view, pictures };
      const loader = openImages(context, dataset, plan, options);
      const masked = microBatch * masking.count;
      return {
        close: loader.close,
        async batch({ step, index, first }) {
          const masks = masksOf(seed, step * batchSize + first, microBatch, masking);
          const { pictures: seen } = await loader.batch(index);
          return {
            patches: seen.patches,
            ...(tokens ? { tokens: seen.tokens } : {}),
            mask: hostTensor([microBatch, side ** 2, 1], masks.mask),
            rows: hostTensor([masked], masks.rows),
            weights: hostTensor([masked], masks.weights),
            ...(dropPath > 0 ? { noise: dropPathNoise(seed, { step, first }) } : {}),
          };
        },
      };
    },
  });
  const { vit, ...head } = parameters;
  await saveBackbone(context.outDir, { config: backbone, imageSize, weights: vit });
  saveTree(path.join(context.outDir, 'head.safetensors'), head);
  await writeFile(path.join(context.outDir, 'masks.png'), await firstMasks(context, dataset, masking));
  engine.dispose();
  return { metrics: last };
});

/** Of so many images, from one on: in the order in which a training sees them. */
function masksOf(seed: number, first: number, count: number, masking: MaskingOptions) {
  return batchMasks((image) => random(seed, 'mask', first + image), count, masking);
}

/** The first images of the training, as the backbone saw them. */
async function firstMasks(
  { config: { view, batchSize }, seed }: Pick<StageContext<MaskedImageModellingConfig>, 'config' | 'seed'>,
  dataset: Dataset,
  masking: MaskingOptions,
): Promise<Buffer> {
  const count = Math.min(shownImages, batchSize);
  const loader = openLoader(dataset, {
    ...{ seed, purpose: 'pretraining', view, pictures: { patches: {} } },
    ...{ batchSize: count, steps: 1, workers: 0 },
  });
  const { pictures } = await loader.batch(0);
  await loader.close();
  return maskedImages(pictures.patches, masksOf(seed, 0, count, masking).mask, masking.side);
}

/** What `expects` says, for data and tokenizers that did not tell. */
function checkGrids(
  config: MaskedImageModellingConfig,
  { imageSize, stride }: { readonly imageSize: number; readonly stride: number },
): void {
  const { backbone, tokens } = config;
  if (!tokens && backbone.patch !== stride) {
    throw new StageError(`backbone.patch is ${backbone.patch}, but the tokenizer's stride is ${stride}`, {
      hint: 'make them equal: a patch is a token',
    });
  }
  const side = imageSize / backbone.patch;
  if (!Number.isInteger(side)) {
    throw new StageError(`backbone.patch is ${backbone.patch}, but images have ${imageSize} pixels a side`, {
      hint: 'give `patch` a divisor of them: patches tile an image',
    });
  }
  if (tokens?.size !== undefined && tokens.size !== side * stride) {
    throw new StageError(`tokens.size is ${tokens.size}, but ${side} patches a side need ${side * stride}`, {
      hint: 'a patch is a token',
    });
  }
  const [issue] = maskIssues(config, side);
  if (issue) throw new StageError(`${issue.field}: ${issue.message}`, { hint: issue.hint });
}
