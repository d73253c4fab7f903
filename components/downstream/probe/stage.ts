import type { StageFunction } from '../../../framework/stage/contract.ts';
import { reportSkipped } from '../../data/skipped.ts';
import { openEngine } from '../../engine/open.ts';
import { describeFit, type KindResult, linearOfKinds } from '../../training/linear.ts';
import { extractFeatures } from '../features.ts';
import type { ClassificationInputs } from '../start.ts';
import type { LinearProbeConfig } from './config.ts';

/**
 * Extracts the features once, fits a linear classifier to those of each layer, and measures top-1 on the whole test split. Of
 * several layers `top1` is that of the one that is best on held-out labelled images.
 */
export const run: StageFunction<LinearProbeConfig, ClassificationInputs> = reportSkipped(async (context) => {
  const { config, seed } = context;
  const engine = await openEngine(context.engine);
  const wanted = config.layers ?? [config.layer!];
  const { layers, classes, depth } = await extractFeatures(context, engine, wanted);
  const [{ labelled, test }] = layers;
  const images = labelled.count + test.count;
  const results = await linearOfKinds(
    { ...context, progress: (update) => context.progress({ ...update, images }) },
    engine,
    layers,
    { ...config, classes, seed },
  );
  engine.dispose();
  const best = bestOf(results);
  const { top1, right, validation, ...fit } = results[best];
  const known = describeFit(labelled.count, results[best]);
  const perImage = { top1: right };
  if (config.layers === undefined)
    return { metrics: { top1, images: test.count, ...fit }, perImage, about: known };
  const { layer } = layers[best];
  const each = Object.fromEntries(
    layers.map(({ layer }, place) => [`top1_layer${layer}`, results[place].top1]),
  );
  return {
    metrics: {
      ...{ top1, images: test.count, ...fit, layer, ...each },
      ...(validation === undefined ? {} : { validation }),
    },
    perImage,
    about: `${known}, layer ${layer} of ${depth}${layers.length > 1 ? ', the best on held-out labels' : ''}`,
  };
});

/** The place of the best on held-out images; of equals the first. */
function bestOf(results: readonly KindResult[]): number {
  const scores = results.map(({ validation }) => validation ?? 0);
  return scores.indexOf(Math.max(...scores));
}
