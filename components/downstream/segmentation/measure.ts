import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext } from '../../../framework/stage/contract.ts';
import { segmentationPass } from '../../data/dense/segmentation-loader.ts';
import { restOf } from '../../data/subset.ts';
import type { LabelMap } from '../../data/targets.ts';
import type { Dataset } from '../../data/types.ts';
import type { Engine, HostOf } from '../../engine/types.ts';
import type { UperNetConfig } from './config.ts';
import type { SegmenterSizes } from './model/segmenter.ts';
import { addAreas, noAreas, type SegmentationScores, scoresOf } from './test/confusion.ts';
import { openTester, type Predicted, type Tester, type TestImage, type Weights } from './test/evaluate.ts';
import { scalesOf, testOptions } from './test/scales.ts';

/** The weights of a segmentation in host memory. */
export type HostWeights = HostOf<Weights<tf.Tensor>>;

/** Certain weights that look at images, as the config's `testView` says. */
export interface Seeing {
  /** Windows that are seen at once. */
  readonly together: number;
  /** What is looked at: pictures of the images, and their label maps. */
  images(data: Dataset<LabelMap>): AsyncIterable<TestImage>;
  /**
   * Looks at the images of a data set in order, from one on. Where the windows of those before it fill whole runs of the
   * program, runs are those of a look at all images, and so are the numbers.
   */
  over(data: Dataset<LabelMap>, from?: number): AsyncGenerator<readonly Predicted[], void, undefined>;
}

/** What makes weights see; the program is compiled for the first of them. */
export function openSeeing(
  {
    config,
    engine: { threads: workers },
    signal,
  }: Pick<StageContext<UperNetConfig>, 'config' | 'engine' | 'signal'>,
  engine: Engine,
  { sizes, size }: { readonly sizes: SegmenterSizes; readonly size: number },
): (weights: HostWeights) => Promise<Seeing> {
  const { testView } = config;
  const view = { ...testView, scales: scalesOf(testView, size).map(({ scale }) => scale) };
  const images = (data: Dataset<LabelMap>) => segmentationPass(data, { view, size, workers, signal });
  let tester: Tester | undefined;
  return async (weights) => {
    tester ??= await openTester(engine, sizes, weights, testOptions(config, size));
    const { together, run } = tester;
    return {
      ...{ together, images },
      async *over(data, from = 0) {
        for await (const predicted of run(weights, images(restOf(data, from))))
          yield predicted.map((one) => ({ ...one, image: { ...one.image, index: from + one.image.index } }));
      },
    };
  };
}

/** Scores of some images together. @param of which they are, for messages */
export async function scoresOn(
  data: Dataset<LabelMap>,
  { over }: Seeing,
  of: string,
): Promise<SegmentationScores> {
  const areas = noAreas(data.classes.length);
  for await (const predicted of over(data))
    for (const { image, labels } of predicted) addAreas(areas, labels, image.target.labels);
  return scoresOf(areas, of);
}
