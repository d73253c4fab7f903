import type * as tf from '@tensorflow/tfjs-core';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { detectionPass } from '../../data/dense/detection-loader.ts';
import type { StillDetectionView } from '../../data/dense/detection-view.ts';
import { restOf } from '../../data/subset.ts';
import type { ImageInstances } from '../../data/targets.ts';
import type { Dataset } from '../../data/types.ts';
import type { Engine, HostOf } from '../../engine/types.ts';
import { firstNonFinite } from '../../nn/finite.ts';
import { type Detection, detectionsOf } from './detections.ts';
import { type Detections, detect, type Trained } from './model/detect.ts';
import type { DetectorConfig } from './model/detector.ts';

/** What was found in an image. */
export interface FoundImage {
  /** Place in the data set. */
  readonly image: number;
  readonly target: ImageInstances;
  readonly detections: readonly Detection[];
}

export interface FinderOptions {
  readonly config: DetectorConfig;
  readonly view: StillDetectionView & { readonly size: number };
  readonly batchSize: number;
  /** Threads that decode images. */
  readonly workers: number;
  readonly signal: AbortSignal;
}

interface TestBatch {
  readonly images: tf.Tensor;
  readonly sizes: tf.Tensor;
}

/** A detector that is compiled for images of one size. */
export interface Finder {
  readonly batchSize: number;
  /**
   * Looks at the images of a data set in order, from one on whose place is a multiple of the batch: then batches are those of a
   * look at all images, and so are the numbers.
   *
   * @throws StageError if a score or a box is NaN or infinite
   */
  over(data: Dataset<ImageInstances>, from?: number): AsyncGenerator<readonly FoundImage[], void, undefined>;
}

/** Compiles a detector with these weights; `use` puts others in their place. */
export async function openFinder(
  engine: Engine,
  weights: HostOf<Trained<tf.Tensor>>,
  { config, view, batchSize, workers, signal }: FinderOptions,
): Promise<Finder & { use(weights: HostOf<Trained<tf.Tensor>>): void }> {
  const state = engine.state<Trained<tf.Tensor>>(weights);
  const { size } = view;
  const program = await engine.compile({
    name: 'detection',
    state,
    step: (trained: Trained<tf.Tensor>, { images, sizes }: TestBatch) => ({
      state: trained,
      out: { ...detect(trained, config, images, sizes) },
    }),
    batch: {
      images: { dtype: 'uint8', shape: [batchSize, size, size, 3] },
      sizes: { dtype: 'int32', shape: [batchSize, 2] },
    },
  });
  return {
    batchSize,
    use: (others) => state.write(others),
    async *over(data, from = 0) {
      const rest = restOf(data, from);
      if (rest.count === 0) return;
      let image = from;
      for await (const { images, sizes, scales, targets, real } of detectionPass(rest, {
        view,
        batchSize,
        workers,
        signal,
      })) {
        const found = (await program.run({ images, sizes })) as HostOf<Detections<tf.Tensor>>;
        checkFinite(found, image);
        yield targets.slice(0, real).map((target, place) => {
          const detections = detectionsOf(found, place, target, scales[place]!);
          return { image: image + place, target, detections };
        });
        image += real;
      }
    },
  };
}

function checkFinite({ boxes, scores }: HostOf<Detections<tf.Tensor>>, image: number): void {
  for (const { data } of [boxes, scores]) {
    const bad = firstNonFinite(data as Float32Array);
    if (bad === undefined) continue;
    throw new StageError(`detection: images from ${image} on give ${bad}`, {
      hint: 'the weights are too large for float32: lower the learning rate of their training',
    });
  }
}
