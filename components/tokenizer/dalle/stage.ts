import path from 'node:path';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { reportSkipped } from '../../data/skipped.ts';
import type { Dataset } from '../../data/types.ts';
import { sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import { random } from '../../nn/random.ts';
import { hostScalar, hostTensor } from '../../nn/tree.ts';
import { fit } from '../../training/fit.ts';
import { openImages } from '../../training/images.ts';
import { saveTree } from '../../weights/safetensors.ts';
import { tokensOf } from '../config.ts';
import type { DalleConfig } from './config.ts';
import { dalleObjective, scheduleAt } from './training.ts';

/** Trains the tokenizer and writes `tokenizer.safetensors`. */
export const run: StageFunction<DalleConfig, { readonly train: Dataset }> = reportSkipped(async (context) => {
  const { config, seed } = context;
  const dataset = await context.inputs.train.load();
  const engine = await openEngine(context.engine);
  const { view } = config;
  const perImage = tokensOf(sizeOf(view, dataset), config.stride);
  const { parameters, last, plan } = await fit(context, engine, dalleObjective(config, seed), {
    recipe: config,
    images: dataset.count,
    batches(plan) {
      const options = { purpose: 'tokenizer', view, pictures: { images: {} } };
      const loader = openImages(context, dataset, plan, options);
      return {
        close: loader.close,
        async batch({ step, index, first }) {
          const { pictures } = await loader.batch(index);
          const { keys } = random(seed, 'gumbel', step);
          const { temperature, divergenceWeight } = scheduleAt(config, step, plan.steps);
          return {
            images: pictures.images,
            noise: hostTensor([3], Int32Array.of(...keys, first * perImage)),
            temperature: hostScalar(temperature),
            divergenceWeight: hostScalar(divergenceWeight),
          };
        },
      };
    },
  });
  await saveTree(path.join(context.outDir, 'tokenizer.safetensors'), parameters);
  engine.dispose();
  const seen = (plan.steps * config.batchSize).toLocaleString('en-US');
  return { metrics: last, about: `DALL-E's dVAE, trained here on ${seen} views (no published weights)` };
});
