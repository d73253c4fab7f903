import type * as tf from '@tensorflow/tfjs-core';
import { vitSchema } from '../../../../../components/backbone/config.ts';
import { initVit } from '../../../../../components/backbone/init.ts';
import { type FineTuneConfig, fineTune } from '../../../../../components/downstream/finetune/config.ts';
import {
  type Classifier,
  classify,
  type FineTuneBatch,
  fineTuneObjective,
  initClassifier,
} from '../../../../../components/downstream/finetune/model.ts';
import type { HostTensor } from '../../../../../components/engine/types.ts';
import { random } from '../../../../../components/nn/random.ts';
import { hostTensor } from '../../../../../components/nn/tree.ts';
import { readSpec, type Size, type Spec } from './fixture.ts';
import { draw } from './mim.ts';
import { between, seededWeights, uniforms } from './seeded.ts';
import { compute, trainingOf } from './train.ts';

interface FineTuneSpec extends Spec<Parameters<typeof fineTune>[0]> {
  readonly classes: number;
}

/** Fine-tuning of a vision transformer: a table of relative positions a block, layer-wise rates, smoothed labels. */
export function finetune(size: Size) {
  const spec = readSpec<FineTuneSpec>(size, 'finetune');
  const { seed, imageSize, classes } = spec;
  const config = fineTune(spec.config).config as FineTuneConfig;
  const backbone = vitSchema.parse(config.backbone);
  const start = initClassifier(random(0), initVit(random(0), backbone, imageSize), classes);
  const parameters = seededWeights(seed, start);
  const objective = fineTuneObjective(config, backbone, parameters, draw);
  const batch = (step: number): FineTuneBatch<HostTensor> => {
    const { batchSize } = config;
    const labels = uniforms(`${seed}/labels/${step}`, batchSize).map((u) => Math.floor(u * classes));
    return {
      images: between(`${seed}/images/${step}`, [batchSize, imageSize, imageSize, 3], 0, 1),
      labels: hostTensor([batchSize], Int32Array.from(labels)),
      noise: between(`${seed}/noise/${step}`, [batchSize, 2 * backbone.depth], 0, 1),
    };
  };
  const forward = async (engine: string) => {
    const { images, noise } = batch(0);
    const rate = config.dropPath;
    return compute<{ images: tf.Tensor; noise: tf.Tensor }, { logits: tf.Tensor2D }, Classifier<tf.Tensor>>(
      { name: engine },
      parameters,
      { images, noise: noise! },
      (frozen, fed) => ({
        logits: classify(frozen, backbone, fed.images, { rate, noise: fed.noise, draw }),
      }),
    );
  };
  const training = trainingOf('finetune', objective, config, { parameters }, batch);
  return { size, training, config, forward };
}
