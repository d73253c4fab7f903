import {
  applyBlocks,
  type Backbone,
  balancedSubset,
  type Dataset,
  embedPatches,
  forward,
  meanOfPatches,
  openEngine,
  plainView,
  type StageFunction,
  type tf,
  type Vit,
  withPositions,
} from 'peco-exp/kit';
import type { NearestMeanConfig } from './config.ts';

/** What the inputs load to. */
interface Inputs {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly pretrained: Backbone;
}

export const run: StageFunction<NearestMeanConfig, Inputs> = async (context) => {
  const { labels } = context.config;
  const train = await context.inputs.train.load();
  const test = await context.inputs.test.load();
  const { config, weights } = await context.inputs.pretrained.load();
  const labelled = await balancedSubset(train, labels, context.seed);
  const engine = await openEngine(context.engine);
  const state = engine.state<Vit<tf.Tensor>>(weights);

  /** Mean of the patch tokens of each image, after the last block, with the class of the image. */
  const featuresOf = async (data: Dataset): Promise<{ feature: Float32Array; label: number }[]> => {
    const features: { feature: Float32Array; label: number }[] = [];
    await forward(engine, data, {
      name: 'features',
      state,
      apply: (vit, images) =>
        meanOfPatches(applyBlocks(vit, config, withPositions(vit, embedPatches(vit, config, images)))),
      view: plainView,
      workers: context.engine.threads,
      signal: context.signal,
      onRows: ({ values, targets }) => {
        for (const [row, label] of targets.entries())
          features.push({ feature: values.slice(row * config.dim, (row + 1) * config.dim), label });
      },
    });
    return features;
  };
  const known = await featuresOf(labelled);
  const means = train.classes.map((_, label) =>
    meanOf(
      known.filter((one) => one.label === label).map(({ feature }) => feature),
      config.dim,
    ),
  );
  const right = (await featuresOf(test)).filter(({ feature, label }) => {
    const distances = means.map((mean) => distance(mean, feature));
    return distances.indexOf(Math.min(...distances)) === label;
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
