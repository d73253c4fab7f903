import type * as tf from '@tensorflow/tfjs-core';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { applyBlocks, embedPatches, meanOfPatches, type Vit, withPositions } from '../../backbone/vit.ts';
import { reportSkipped } from '../../data/skipped.ts';
import { balancedSubset } from '../../data/subset.ts';
import type { Dataset } from '../../data/types.ts';
import { sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import { forward } from '../../training/classify.ts';
import { type FeatureRows, storeFeatures } from '../../training/features.ts';
import { describeFit, linearTopOne } from '../../training/linear.ts';
import { type ClassificationInputs, startingBackbone } from '../start.ts';
import type { LinearProbeConfig } from './config.ts';

/** Extracts the features once, fits a linear classifier to them, and measures top-1 on the whole test split. */
export const run: StageFunction<LinearProbeConfig, ClassificationInputs> = reportSkipped(async (context) => {
  const { config, seed, workDir } = context;
  const all = await context.inputs.train.load();
  const test = await context.inputs.test.load();
  const classes = all.classes.length;
  const labelled = config.labels === undefined ? all : await balancedSubset(all, config.labels, seed);
  const backbone = await startingBackbone(context, config, sizeOf(config.view, all));
  if (config.layer > backbone.config.depth) {
    throw new StageError(`the backbone has ${backbone.config.depth} blocks, and no layer ${config.layer}`, {
      hint: `give \`layer\` a number from 1 to ${backbone.config.depth}`,
    });
  }
  const engine = await openEngine(context.engine);
  const state = engine.state<Vit<tf.Tensor>>(backbone.weights);
  const count = labelled.count + test.count;
  const features = async (data: Dataset, name: string, done: number): Promise<FeatureRows> => {
    const labels = new Int32Array(data.count);
    const store = storeFeatures({ count: data.count, width: backbone.config.dim, folder: workDir, name });
    await forward(engine, data, {
      name: 'features',
      state,
      apply: (vit: Vit<tf.Tensor>, images) => {
        const tokens = withPositions(vit, embedPatches(vit, backbone.config, images));
        return meanOfPatches(applyBlocks(vit, backbone.config, tokens, { depth: config.layer }));
      },
      view: config.view,
      workers: context.engine.threads,
      signal: context.signal,
      onRows: ({ values, targets, done: images }) => {
        store.append(values);
        labels.set(targets, images - targets.length);
        context.progress({ step: done + images, of: count, images: done + images });
      },
    });
    return store.done(labels);
  };
  const rows = await features(labelled, 'labelled', 0);
  const held = await features(test, 'test', labelled.count);
  const result = await linearTopOne(
    { ...context, progress: (update) => context.progress({ ...update, images: count }) },
    engine,
    rows,
    held,
    { ...config, classes, seed },
  );
  engine.dispose();
  const { top1, ...fit } = result;
  return { metrics: { top1, images: test.count, ...fit }, about: describeFit(labelled.count, result) };
});
