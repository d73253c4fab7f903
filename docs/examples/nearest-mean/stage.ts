import type * as tf from '@tensorflow/tfjs-core';
import type { Backbone, Dataset, StageFunction } from 'peco-exp';
import {
  applyBlocks,
  embedPatches,
  meanOfPatches,
  type Vit,
  withPositions,
} from '../../../components/backbone/vit.ts';
import { classBalancedSubset } from '../../../components/data/order.ts';
import { subset } from '../../../components/data/subset.ts';
import { openEngine } from '../../../components/engine/open.ts';
import { forward } from '../../../components/training/classify.ts';
import type { NearestMeanConfig } from './config.ts';

export const run: StageFunction<NearestMeanConfig> = async (context) => {
  const { labels } = context.config;
  const train = await context.inputs.train.load<Dataset>();
  const test = await context.inputs.test.load<Dataset>();
  const { config, weights } = await context.inputs.pretrained.load<Backbone>();
  const labelled = subset(train, classBalancedSubset(train.labels, labels, context.seed));
  const engine = await openEngine(context.engine);
  const state = engine.state<Vit<tf.Tensor>>(weights);

  /** Mean of the patch tokens of each image, after the last block. */
  const featuresOf = async (data: Dataset): Promise<Float32Array[]> => {
    const features: Float32Array[] = [];
    await forward(engine, data, {
      name: 'features',
      state,
      apply: (vit, images) =>
        meanOfPatches(applyBlocks(vit, config, withPositions(vit, embedPatches(vit, config, images)))),
      onRows: (rows) => {
        context.signal.throwIfAborted();
        for (let at = 0; at < rows.length; at += config.dim) features.push(rows.slice(at, at + config.dim));
      },
    });
    return features;
  };
  const known = await featuresOf(labelled);
  const means = train.classes.map((_, label) =>
    meanOf(
      known.filter((_, image) => labelled.labels[image] === label),
      config.dim,
    ),
  );
  const right = (await featuresOf(test)).filter((feature, image) => {
    const distances = means.map((mean) => distance(mean, feature));
    return distances.indexOf(Math.min(...distances)) === test.labels[image];
  });
  engine.dispose();
  return {
    metrics: { top1: right.length / test.count, images: test.count },
    about: `${labels} labels`,
  };
};

function meanOf(vectors: readonly Float32Array[], width: number): Float32Array {
  return Float32Array.from({ length: width }, (_, i) => {
    return vectors.reduce((sum, vector) => sum + vector[i], 0) / vectors.length;
  });
}

function distance(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);
}
