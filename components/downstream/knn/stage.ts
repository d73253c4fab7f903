import type { StageFunction } from '../../../framework/stage/contract.ts';
import { reportSkipped } from '../../data/skipped.ts';
import { openEngine } from '../../engine/open.ts';
import { nearestNeighbours } from '../../training/nearest.ts';
import { extractFeatures } from '../features.ts';
import type { ClassificationInputs } from '../start.ts';
import type { KnnConfig } from './config.ts';

/** Extracts the features once, and lets the nearest labelled images of each test image vote. */
export const run: StageFunction<KnnConfig, ClassificationInputs> = reportSkipped(async (context) => {
  const { config, signal } = context;
  const engine = await openEngine(context.engine);
  const { layers, classes, depth } = await extractFeatures(context, engine, [config.layer]);
  const [{ labelled, test }] = layers;
  const results = await nearestNeighbours(engine, labelled, test, {
    ...{ classes, ks: [config.k].flat(), temperature: config.temperature, signal },
    onRows: (done) =>
      context.progress({
        phase: 'evaluating',
        step: done,
        of: test.count,
        images: labelled.count + test.count,
      }),
  });
  engine.dispose();
  const metric = (name: 'top1' | 'top5', suffix: (k: number) => string) =>
    // Of five classes each is among the first five.
    name === 'top5' && classes <= 5
      ? {}
      : Object.fromEntries(results.map((result) => [name + suffix(result.k), result[name]]));
  const [first] = results;
  const several = results.length > 1;
  return {
    metrics: {
      top1: first.top1,
      ...(classes > 5 ? { top5: first.top5 } : {}),
      images: test.count,
      ...(several ? { ...metric('top1', (k) => `_k${k}`), ...metric('top5', (k) => `_k${k}`) } : {}),
    },
    perImage: { top1: first.right },
    about: `${first.k} of ${labelled.count.toLocaleString('en-US')} labelled images, layer ${config.layer} of ${depth}`,
  };
});
