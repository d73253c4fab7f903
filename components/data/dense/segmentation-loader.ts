import { availableParallelism } from 'node:os';
import { StageError } from '../../../framework/stage/stage-error.ts';
import type { HostTensor } from '../../engine/types.ts';
import { bytesTensor, hostTensor } from '../../nn/tree.ts';
import { inLanes, openAhead } from '../ahead.ts';
import { type Loader, type Sampler, trainingBatches, withImage } from '../batches.ts';
import type { Labels } from '../decode/label-map.ts';
import { openRenderer } from '../decode/renderer.ts';
import { targetOf } from '../subset.ts';
import { type LabelMap, noClass } from '../targets.ts';
import type { Dataset } from '../types.ts';
import { sizeOf } from '../views/view.ts';
import type { SegmentationSight } from './render-segmentation.ts';
import { edgesOf, type SegmentationView, type StillSegmentationView } from './segmentation-view.ts';

/** Images of a training with a class for each pixel. The arrays are the caller's to keep. */
export interface SegmentationBatch {
  /** uint8 [B, size, size, 3]. */
  readonly images: HostTensor;
  /** int32 [B, size, size]: classes; 255 (`noClass`) where there is none, as in padding. */
  readonly labels: HostTensor;
  /** Which images they are. */
  readonly indices: Int32Array;
}

export interface SegmentationLoaderOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Keeps the streams of different trainings apart. */
  readonly purpose: string;
  /** Steps of the training: none is prepared past the last. */
  readonly steps?: number;
  /** Threads that decode and resize; the bytes don't depend on how many. 0: none but the caller's. Absent: one a core. */
  readonly workers?: number;
  readonly view: SegmentationView;
}

/**
 * Shuffled batches of a training of segmentation, without end. Image and label map go through one geometry, drawn by seed,
 * purpose, epoch and index of the image.
 *
 * @throws StageError if there are more classes than a byte tells apart, or neither view nor data say a size
 */
export function openSegmentationLoader(
  data: Dataset<LabelMap>,
  options: SegmentationLoaderOptions,
): Loader<SegmentationBatch> {
  const { view, batchSize, workers = availableParallelism() } = options;
  checkClasses(data);
  const size = sizeOf(view, data);
  const { scale, maxClassShare, flip, distortion, fill, interpolation } = view;
  const sight = { scale, maxClassShare, flip, distortion, fill, interpolation };
  return trainingBatches(
    data.count,
    options,
    openSampler(data, { ...sight, size, edges: edgesOf(view, size) }, { batchSize, workers }),
  );
}

function checkClasses({ name, classes }: Dataset<LabelMap>): void {
  if (classes.length < noClass) return;
  throw new StageError(`${name} has ${classes.length} classes, more than ${noClass - 1}`, {
    hint: `a label is a byte, and ${noClass} is no class: take fewer classes`,
  });
}

function openSampler(
  data: Dataset<LabelMap>,
  sight: SegmentationSight,
  { batchSize, workers }: { readonly batchSize: number; readonly workers: number },
): Sampler<SegmentationBatch> {
  const renderer = openRenderer(workers);
  const lanes = workers === 0 ? 4 : Number.POSITIVE_INFINITY;
  const { size } = sight;
  const area = size * size;
  return {
    bytes: batchSize * area * 7,
    close: renderer.close,
    async sample({ indices, chanceOf }, signal) {
      const images = new Uint8Array(batchSize * area * 3);
      const labels = new Int32Array(batchSize * area);
      await inLanes(batchSize, lanes, async (place) => {
        signal.throwIfAborted();
        const index = indices[place];
        const target = await targetOf(data, index);
        const chance = chanceOf(place)!;
        const made = await withImage(data, index, (image) =>
          renderer.make('segmentation', {
            image,
            labels: target,
            classes: data.classes.length,
            sight,
            chance,
          }),
        );
        images.set(made.image, place * area * 3);
        labels.set(made.labels, place * area);
      });
      return {
        images: bytesTensor([batchSize, size, size, 3], images),
        labels: hostTensor([batchSize, size, size], labels),
        indices,
      };
    },
  };
}

/** An image of a test: whole pictures of it, and its label map as it is. */
export interface SegmentationTest {
  /** Which image it is. */
  readonly index: number;
  /** One for each of `scales`: uint8 [height, width, 3]. */
  readonly pictures: readonly HostTensor[];
  /** [height, width] of the image itself: classes; 255 (`noClass`) where there is none. */
  readonly target: Labels;
}

export interface SegmentationPassOptions {
  readonly view: StillSegmentationView;
  /** What the training saw: the edges of what the view leaves out. */
  readonly size: number;
  readonly workers?: number;
  /** Ends the pass by rejecting with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Every image of a test of segmentation once, in order. Sizes differ from image to image: a program of fixed shapes sees
 * windows of them. Some images are prepared ahead, as many as there are threads.
 *
 * @throws StageError that names the image or its label map, if one can't be read or both have other sizes
 */
export async function* segmentationPass(
  data: Dataset<LabelMap>,
  { view, size, workers = availableParallelism(), signal }: SegmentationPassOptions,
): AsyncGenerator<SegmentationTest, void, undefined> {
  checkClasses(data);
  const renderer = openRenderer(workers);
  const { scales, interpolation } = view;
  const sight = { edges: edgesOf(view, size), scales, interpolation };
  const together = Math.max(1, workers);
  const ahead = openAhead(
    async (group, stopped) => {
      const count = Math.min(together, data.count - group * together);
      const tests = new Array<SegmentationTest>(count);
      await inLanes(count, together, async (place) => {
        stopped.throwIfAborted();
        const index = group * together + place;
        const labels = await targetOf(data, index);
        const made = await withImage(data, index, (image) =>
          renderer.make('whole', { image, labels, classes: data.classes.length, sight }),
        );
        const pictures = made.pictures.map(({ height, width, pixels }) =>
          bytesTensor([height, width, 3], pixels),
        );
        tests[place] = { index, pictures, target: made.target };
      });
      return tests;
    },
    { ahead: 1, end: Math.ceil(data.count / together) },
  );
  try {
    for (let group = 0; group * together < data.count; group++)
      for (const test of await ahead.get(group)) {
        signal?.throwIfAborted();
        yield test;
      }
  } finally {
    await ahead.close();
    await renderer.close();
  }
}
