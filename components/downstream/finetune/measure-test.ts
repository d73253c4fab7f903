import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext } from '../../../framework/stage/contract.ts';
import type { Dataset } from '../../data/types.ts';
import type { HostOf } from '../../engine/types.ts';
import { countOnes, shareOf } from '../../training/right.ts';
import { digestOf, KeptResults } from '../kept.ts';
import type { Accuracy, Classifying, Right } from './measure.ts';
import type { Classifier } from './model.ts';

interface TestOptions {
  readonly engine: string;
  readonly weights: HostOf<Classifier<tf.Tensor>>;
  /** Called with the number of images that are done. */
  readonly tested?: (images: number) => void;
}

/** Of some images, 1 or 0 for each. */
interface Kept {
  readonly top1: readonly number[];
  readonly top5: readonly number[];
}

/** Accuracy, and of each image whether its class was the first. */
export interface TestAccuracy extends Accuracy {
  readonly right: Uint8Array;
}

/** Top-1 and top-5 on all test images. What is known of them is kept in the work folder, batch by batch. */
export async function measureTest(
  { workDir }: Pick<StageContext, 'workDir'>,
  data: Dataset,
  { batchSize, over }: Classifying,
  { engine, weights, tested }: TestOptions,
): Promise<TestAccuracy> {
  const file = path.join(workDir, `right-${engine}.jsonl`);
  const kept = await KeptResults.open<Kept>(file, `${digestOf(weights)} ${batchSize}`);
  if (kept.images < data.count) {
    const add = async ({ top1, top5 }: Right) => {
      const value = { top1: [...top1], top5: [...top5] };
      await kept.append([{ image: kept.images, count: top1.length, value }]);
      tested?.(kept.images);
    };
    await over(data, add, kept.images);
  }
  const right = new Uint8Array(data.count);
  let five = 0;
  for await (const { image, value } of kept.read()) {
    right.set(value.top1, image);
    five += countOnes(Uint8Array.from(value.top5));
  }
  return { top1: shareOf(right), top5: five / data.count, right };
}
