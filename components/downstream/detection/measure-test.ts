import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext, StageResult } from '../../../framework/stage/contract.ts';
import { runsOfText, textOfRuns } from '../../data/masks/text.ts';
import { targetOf } from '../../data/subset.ts';
import type { ImageInstances } from '../../data/targets.ts';
import type { Dataset } from '../../data/types.ts';
import type { HostOf } from '../../engine/types.ts';
import { digestOf, KeptResults } from '../kept.ts';
import { resampled } from '../resampled.ts';
import type { Detection } from './detections.ts';
import type { Finder, FoundImage } from './find.ts';
import { noObjects } from './has-objects.ts';
import { metricsOf, openMeasure } from './measure.ts';
import type { Trained } from './model/detect.ts';
import { openStrips } from './pictures.ts';
import { openResults } from './results.ts';

/** What was found in an image, as it is kept. */
interface KeptDetections {
  readonly size: readonly [height: number, width: number];
  readonly found: readonly (readonly [index: number, score: number, box: Detection['box'], mask: string])[];
}

interface TestOptions {
  readonly engine: string;
  readonly trained: HostOf<Trained<tf.Tensor>>;
  /** Called with the number of images that are done. */
  readonly tested?: (images: number) => void;
}

/**
 * Looks for objects in all test images, and measures what was found: COCO's numbers, also of test sets drawn from
 * the images. Detections are kept in the work folder as
 * they are found, and all outputs are made of what is kept.
 *
 * @throws StageError if there is no object to be found in any of them
 */
export async function measureTest(
  { workDir, outDir, signal }: Pick<StageContext, 'workDir' | 'outDir' | 'signal'>,
  data: Dataset<ImageInstances>,
  finder: Finder,
  { engine, trained, tested }: TestOptions,
): Promise<Required<Pick<StageResult, 'metrics' | 'resampled'>>> {
  const file = path.join(workDir, `detections-${engine}.jsonl`);
  const kept = await KeptResults.open<KeptDetections>(file, `${digestOf(trained)} ${finder.batchSize}`);
  // Whole batches, as without a stop.
  const from = kept.images - (kept.images % finder.batchSize);
  for await (const images of kept.images < data.count ? finder.over(data, from) : []) {
    const found = images.filter(({ image }) => image >= kept.images);
    await kept.append(found.map((one) => ({ image: one.image, count: 1, value: packed(one) })));
    tested?.(kept.images);
  }
  const measure = openMeasure(data.classes.length);
  const strips = openStrips(data);
  const results = openResults(
    path.join(outDir, 'detections.json'),
    data.classNumbers ?? data.classes.map((_, index) => index + 1),
  );
  for await (const { image, value } of kept.read()) {
    const target = await targetOf(data, image);
    const detections = unpacked(value);
    measure.add(target, detections);
    results.add(target, detections);
    await strips.add(image, target, detections);
  }
  results.close();
  await strips.write(outDir);
  const summary = measure.summary();
  if (summary.boxes.numbers.AP === undefined) throw noObjects('test');
  return {
    metrics: metricsOf(summary),
    resampled: await resampled(data.count, (times) => metricsOf(measure.summary(times)), signal),
  };
}

function packed({ target: { height, width }, detections }: FoundImage): KeptDetections {
  const found = detections.map(
    ({ class: index, score, box, mask }) => [index, score, box, textOfRuns(mask)] as const,
  );
  return { size: [height, width], found };
}

function unpacked({ size: [height, width], found }: KeptDetections): Detection[] {
  return found.map(([index, score, box, mask]) => ({
    ...{ class: index, score, box },
    mask: runsOfText(mask, { height, width }),
  }));
}
