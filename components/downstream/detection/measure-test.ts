import { createHash } from 'node:crypto';
import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext } from '../../../framework/stage/contract.ts';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { targetOf } from '../../data/subset.ts';
import type { ImageInstances } from '../../data/targets.ts';
import type { Dataset } from '../../data/types.ts';
import type { HostOf } from '../../engine/types.ts';
import { type HostTree, leaves } from '../../nn/tree.ts';
import type { Finder } from './find.ts';
import { KeptDetections } from './kept.ts';
import { metricsOf, openMeasure } from './measure.ts';
import type { Trained } from './model/detect.ts';
import { openStrips } from './pictures.ts';
import { openResults } from './results.ts';

/**
 * Looks for objects in all test images, and measures what was found: COCO's numbers. Detections are kept in the work folder as
 * they are found, and all outputs are made of what is kept.
 *
 * @throws StageError if there is no object to be found in any of them
 */
export async function measureTest(
  { workDir, outDir, progress }: Pick<StageContext, 'workDir' | 'outDir' | 'progress'>,
  data: Dataset<ImageInstances>,
  finder: Finder,
  { engine, trained }: { readonly engine: string; readonly trained: HostOf<Trained<tf.Tensor>> },
): Promise<{ readonly [metric: string]: number }> {
  const file = path.join(workDir, `detections-${engine}.jsonl`);
  const kept = await KeptDetections.open(file, `${digestOf(trained)} ${finder.batchSize}`);
  // Whole batches, as without a stop.
  const from = kept.images - (kept.images % finder.batchSize);
  for await (const images of kept.images < data.count ? finder.over(data, from) : []) {
    const found = images.map(({ image, target: { height, width }, detections }) => {
      return { image, height, width, detections };
    });
    await kept.append(found.filter(({ image }) => image >= kept.images));
    progress({ step: kept.images, of: data.count, images: kept.images });
  }
  const measure = openMeasure(data.classes.length);
  const strips = openStrips(data);
  const results = openResults(
    path.join(outDir, 'detections.json'),
    data.classNumbers ?? data.classes.map((_, index) => index + 1),
  );
  for await (const { image, detections } of kept.read()) {
    const target = await targetOf(data, image);
    measure.add(target, detections);
    results.add(target, detections);
    await strips.add(image, target, detections);
  }
  results.close();
  await strips.write(outDir);
  const summary = measure.summary();
  if (summary.boxes.numbers.AP === undefined)
    throw new StageError('the test images have no object that is to be found', {
      hint: 'take test data with objects: groups (`iscrowd`) are not enough',
    });
  return metricsOf(summary);
}

function digestOf(weights: HostOf<Trained<tf.Tensor>>): string {
  const hash = createHash('sha256');
  for (const { leaf } of leaves(weights as HostTree)) {
    const { buffer, byteOffset, byteLength } = leaf.data;
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}
