import path from 'node:path';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { reportSkipped } from '../../data/skipped.ts';
import { sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import { random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';
import { fit } from '../../training/fit.ts';
import { openImages } from '../../training/images.ts';
import { saveTree } from '../../weights/safetensors.ts';
import { partOfCandidates, revivalCandidates } from '../codebook.ts';
import { tokensOf } from '../config.ts';
import { describeLoss, reconstructionLoss, type TokenizerInputs } from '../reconstruction.ts';
import type { VqvaeConfig } from './config.ts';
import { vqvaeObjective } from './model.ts';
import { codebookOfTokens } from './start.ts';

/** Trains the tokenizer and writes `tokenizer.safetensors`. */
export const run: StageFunction<VqvaeConfig, TokenizerInputs> = reportSkipped(async (context) => {
  const { config, seed, signal } = context;
  const dataset = await context.inputs.train.load();
  const reconstruction = await reconstructionLoss(context, config);
  const engine = await openEngine(context.engine);
  const { batchSize, codebook, view } = config;
  const perImage = tokensOf(sizeOf(view, dataset), config.stride);
  const objective = vqvaeObjective(config, reconstruction, seed);
  const { parameters, rest, last } = await fit(context, engine, objective, {
    recipe: config,
    images: dataset.count,
    ...(codebook.start === 'k-means'
      ? { begin: (given) => codebookOfTokens(engine, config, given, { seed, signal }) }
      : {}),
    batches(plan) {
      const options = { purpose: 'tokenizer', view, pictures: { images: {} } };
      const loader = openImages(context, dataset, plan, options);
      return {
        close: loader.close,
        async batch({ step, index, first }) {
          const all = revivalCandidates(random(seed, 'revival', step), codebook.size, batchSize * perImage);
          const own = partOfCandidates(all, first * perImage, plan.microBatch * perImage);
          const { pictures } = await loader.batch(index);
          return { images: pictures.images, candidates: hostTensor([codebook.size], own) };
        },
      };
    },
  });
  await saveTree(path.join(context.outDir, 'tokenizer.safetensors'), {
    ...parameters,
    codebook: rest.vectors,
  });
  engine.dispose();
  return { metrics: last, about: describeLoss(config.loss) };
});
