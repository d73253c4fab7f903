import { setImmediate } from 'node:timers/promises';
import type { StageResult } from '../../framework/stage/contract.ts';
import { random } from '../nn/random.ts';

/**
 * How many test sets are drawn. An end of a 95 % interval then lies between the true quantiles of 1.8 and 3.2 %, 19 times of 20,
 * and the least p value is 0.001. COCO's evaluation is repeated for each of them.
 */
const resamples = 2000;

/** Which test sets they are: the same text and as many images mean the same draws. */
const draws = `${resamples} draws, philox`;

/**
 * Metrics over test sets that are drawn from the images of a test with replacement, for metrics that are no means over images:
 * mIoU, AP. A stage returns it as `resampled`. The draws depend on nothing but the number of images, so the values of two stages
 * that were tested on the same images are paired.
 *
 * @param images of the test, at least one
 * @param measure the metrics of a test set, given how often each image is in it, in the order of the test data; undefined where
 *   the test set has none, such as the AP of large objects where there are none. A metric that one of them lacks is left out
 */
export async function resampled(
  images: number,
  measure: (times: Int32Array) => { readonly [metric: string]: number | undefined },
  signal?: AbortSignal,
): Promise<NonNullable<StageResult['resampled']>> {
  const drawn: ReturnType<typeof measure>[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    // Lets signals and messages in.
    await setImmediate();
    signal?.throwIfAborted();
    drawn.push(measure(drawImages(images, resample)));
  }
  const values = Object.keys(drawn[0] ?? {}).flatMap((metric) => {
    const own = drawn.flatMap((metrics) => metrics[metric] ?? []);
    return own.length === resamples ? [[metric, own] as const] : [];
  });
  return { images, draws, values: Object.fromEntries(values) };
}

/** As many images as there are, with replacement: how often each is drawn. */
export function drawImages(images: number, resample: number): Int32Array {
  const draw = random(0, 'resampled test images', resample);
  const times = new Int32Array(images);
  for (let i = 0; i < images; i++) times[draw.int(images)]!++;
  return times;
}
