import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext } from '../../../framework/stage/contract.ts';
import { segmentationPass } from '../../data/dense/segmentation-loader.ts';
import type { LabelMap } from '../../data/targets.ts';
import type { Dataset } from '../../data/types.ts';
import type { Engine, HostOf } from '../../engine/types.ts';
import type { UperNetConfig } from './config.ts';
import type { SegmenterSizes } from './model/segmenter.ts';
import { addAreas, noAreas, type SegmentationScores, scoresOf } from './test/confusion.ts';
import { openTester, type Predicted, type Tester, type Weights } from './test/evaluate.ts';
import { scalesOf, testOptions } from './test/scales.ts';

/** The weights of a segmentation in host memory. */
export type HostWeights = HostOf<Weights<tf.Tensor>>;

export interface Measured extends SegmentationScores {
  /** The first images, in their order, as many as were asked for. */
  readonly shown: readonly Predicted[];
}

/**
 * What measures weights on all images of a data set, as the config's `testView` says. The program is compiled for the first
 * of them.
 */
export function openMeasure(
  {
    config,
    engine: { threads: workers },
    signal,
  }: Pick<StageContext<UperNetConfig>, 'config' | 'engine' | 'signal'>,
  engine: Engine,
  { sizes, size }: { readonly sizes: SegmenterSizes; readonly size: number },
) {
  const { testView } = config;
  const view = { ...testView, scales: scalesOf(testView, size).map(({ scale }) => scale) };
  let tester: Tester | undefined;
  return async (
    weights: HostWeights,
    data: Dataset<LabelMap>,
    { show = 0, of }: { readonly show?: number; readonly of?: string } = {},
  ): Promise<Measured> => {
    tester ??= await openTester(engine, sizes, weights, testOptions(config, size));
    const areas = noAreas(sizes.classes);
    const shown: Predicted[] = [];
    await tester.run(weights, segmentationPass(data, { view, size, workers, signal }), (predicted) => {
      const { image, labels } = predicted;
      addAreas(areas, labels, image.target.labels);
      if (image.index < show) shown.push(predicted);
    });
    return { ...scoresOf(areas, of), shown: shown.sort((a, b) => a.image.index - b.image.index) };
  };
}
