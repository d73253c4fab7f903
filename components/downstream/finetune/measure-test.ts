import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext } from '../../../framework/stage/contract.ts';
import type { Dataset } from '../../data/types.ts';
import type { HostOf } from '../../engine/types.ts';
import { digestOf, KeptResults } from '../kept.ts';
import type { Accuracy, Classifying, Right } from './measure.ts';
import type { Classifier } from './model.ts';

interface TestOptions {
  readonly engine: string;
  readonly weights: HostOf<Classifier<tf.Tensor>>;
  /** Called with the number of images that are done. */
  readonly tested?: (images: number) => void;
}

/** Top-1 and top-5 on all test images. What is counted is kept in the work folder, batch by batch. */
export async function measureTest(
  { workDir }: Pick<StageContext, 'workDir'>,
  data: Dataset,
  { batchSize, over }: Classifying,
  { engine, weights, tested }: TestOptions,
): Promise<Accuracy> {
  const file = path.join(workDir, `right-${engine}.jsonl`);
  const kept = await KeptResults.open<Right>(file, `${digestOf(weights)} ${batchSize}`);
  const add = async (value: Right, count: number) => {
    await kept.append([{ image: kept.images, count, value }]);
    tested?.(kept.images);
  };
  if (kept.images < data.count) await over(data, add, kept.images);
  let [top1, top5] = [0, 0];
  for await (const { value } of kept.read()) {
    top1 += value.top1;
    top5 += value.top5;
  }
  return { top1: top1 / data.count, top5: top5 / data.count };
}
