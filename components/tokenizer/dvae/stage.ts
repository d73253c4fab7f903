import path from 'node:path';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { reportSkipped } from '../../data/skipped.ts';
import { sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import { random } from '../../nn/random.ts';
import { hostScalar, hostTensor } from '../../nn/tree.ts';
import { fit } from '../../training/fit.ts';
import { openImages } from '../../training/images.ts';
import { cosine } from '../../training/schedule.ts';
import { saveTree } from '../../weights/safetensors.ts';
import { tokensOf } from '../config.ts';
import { describeLoss, reconstructionLoss, type TokenizerInputs } from '../reconstruction.ts';
import type { DvaeConfig } from './config.ts';
import { dvaeObjective } from './model.ts';

/** Trains the tokenizer and writes `tokenizer.safetensors`. */
export const run: StageFunction<DvaeConfig, TokenizerInputs> = reportSkipped(async (context) => {
  const { config, seed } = context;
  const dataset = await context.inputs.train.load();
  const reconstruction = await reconstructionLoss(context, config);
  const engine = await openEngine(context.engine);
  const { temperature, view } = config;
  const perImage = tokensOf(sizeOf(view, dataset), config.stride);
  const objective = dvaeObjective(config, reconstruction, seed);
  const { parameters, last } = await fit(context, engine, objective, {
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
          return {
            images: pictures.images,
            noise: hostTensor([3], Int32Array.of(...keys, first * perImage)),
            temperature: hostScalar(cosine(temperature.from, temperature.to, { step, steps: plan.steps })),
          };
        },
      };
    },
  });
  await saveTree(path.join(context.outDir, 'tokenizer.safetensors'), parameters);
  engine.dispose();
  return { metrics: last, about: describeLoss(config.loss) };
});
