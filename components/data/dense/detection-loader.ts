import { availableParallelism } from 'node:os';
import { StageError } from '../../../framework/stage/stage-error.ts';
import type { HostTensor } from '../../engine/types.ts';
import { bytesTensor, hostTensor } from '../../nn/tree.ts';
import { inLanes } from '../ahead.ts';
import { type Loader, passBatches, type Sampler, trainingBatches, withImage } from '../batches.ts';
import { openRenderer } from '../decode/renderer.ts';
import { targetOf } from '../subset.ts';
import type { ImageInstances } from '../targets.ts';
import type { Dataset } from '../types.ts';
import { sizeOf } from '../views/view.ts';
import type { DetectionView, StillDetectionView } from './detection-view.ts';
import type { CanvasSight, DetectionSight } from './render-detection.ts';

/** Images of a training with their objects, M to each. The arrays are the caller's to keep. */
export interface DetectionBatch {
  /** uint8 [B, size, size, 3]: each picture in the top left corner. */
  readonly images: HostTensor;
  /** float32 [B, M, 4]: left, top, right, bottom in pixels of the canvas; zeros where there is no object. */
  readonly boxes: HostTensor;
  /** int32 [B, M]: -1 where there is no object. */
  readonly classes: HostTensor;
  /** uint8 [B, M, size / maskStride, size / maskStride] of 0 and 1. */
  readonly masks: HostTensor;
  /** int32 [B, 2]: height and width of the picture in the canvas. */
  readonly sizes: HostTensor;
  /** Which images they are. */
  readonly indices: Int32Array;
}

interface Common {
  readonly batchSize: number;
  /** Threads that decode and resize; the bytes don't depend on how many. 0: none but the caller's. Absent: one a core. */
  readonly workers?: number;
}

export interface DetectionLoaderOptions extends Common {
  readonly seed: number;
  /** Keeps the streams of different trainings apart. */
  readonly purpose: string;
  /** Steps of the training: none is prepared past the last. */
  readonly steps?: number;
  readonly view: DetectionView;
  /** Called once, with the first image of which objects are left out, since it has more than `maxInstances`. */
  readonly warn?: (message: string) => void;
}

/**
 * Shuffled batches of a training of detection, without end. An image and its objects go through one geometry, drawn by seed,
 * purpose, epoch and index of the image.
 *
 * @throws StageError if neither view nor data say a size, or the view's fields don't fit it
 */
export function openDetectionLoader(
  data: Dataset<ImageInstances>,
  options: DetectionLoaderOptions,
): Loader<DetectionBatch> {
  const { view, batchSize, workers = availableParallelism(), warn } = options;
  const { flip, maxInstances, maskStride } = view;
  const sight = { ...settle(view, sizeOf(view, data)), flip, maxInstances, maskStride };
  if (sight.size % maskStride !== 0)
    throw new StageError(`a picture of ${sight.size} pixels has no masks of every ${maskStride}th`, {
      hint: 'choose a `maskStride` that divides `size`',
    });
  return trainingBatches(data.count, options, openSampler(data, sight, { batchSize, workers, warn }));
}

/** A view with its sizes. */
function settle(
  { shorter, longer, fill, interpolation, ...more }: DetectionView | StillDetectionView,
  size: number,
): CanvasSight {
  if ('jitter' in more && more.jitter) return { size, fill, interpolation, resize: { jitter: more.jitter } };
  const most = longer ?? size;
  if (most > size)
    throw new StageError(`a longer edge of ${most} pixels doesn't fit into a picture of ${size}`, {
      hint: 'lower `longer`, or raise `size`',
    });
  const lengths = shorter === undefined ? [size] : typeof shorter === 'number' ? [shorter] : shorter;
  return { size, fill, interpolation, resize: { shorter: lengths, longer: most } };
}

function openSampler(
  data: Dataset<ImageInstances>,
  sight: DetectionSight,
  {
    batchSize,
    workers,
    warn,
  }: Required<Common> & { readonly warn: DetectionLoaderOptions['warn'] | undefined },
): Sampler<DetectionBatch> {
  const renderer = openRenderer(workers);
  const lanes = workers === 0 ? 4 : Number.POSITIVE_INFINITY;
  const { size, maxInstances: most } = sight;
  const side = size / sight.maskStride;
  const pixels = size * size * 3;
  let hasWarned = false;
  function note(index: number, seen: number): void {
    if (hasWarned) return;
    hasWarned = true;
    warn?.(
      `image ${index} of ${data.name} has ${seen} objects, more than \`maxInstances\`, ${most}: of such images the largest objects are learnt from`,
    );
  }
  return {
    bytes: batchSize * (pixels + most * side * side),
    close: renderer.close,
    handsOut: true,
    async sample({ indices, chanceOf }, signal, handedOut) {
      const targets = await Promise.all(Array.from(indices, (index) => objectsOf(data, index)));
      handedOut();
      const images = new Uint8Array(batchSize * pixels);
      const boxes = new Float32Array(batchSize * most * 4);
      const classes = new Int32Array(batchSize * most).fill(-1);
      const masks = new Uint8Array(batchSize * most * side * side);
      const sizes = new Int32Array(batchSize * 2);
      await inLanes(batchSize, lanes, async (place) => {
        signal.throwIfAborted();
        const [index, target, chance] = [indices[place], targets[place]!, chanceOf(place)!];
        const made = await withImage(data, index, (image) =>
          renderer.make('detection', { image, target, sight, chance }),
        );
        if (made.left > 0) note(index, made.left + made.classes.length);
        images.set(made.image, place * pixels);
        boxes.set(made.boxes, place * most * 4);
        classes.set(made.classes, place * most);
        masks.set(made.masks, place * most * side * side);
        sizes.set([made.height, made.width], place * 2);
      });
      return {
        images: bytesTensor([batchSize, size, size, 3], images),
        boxes: hostTensor([batchSize, most, 4], boxes),
        classes: hostTensor([batchSize, most], classes),
        masks: bytesTensor([batchSize, most, side, side], masks),
        sizes: hostTensor([batchSize, 2], sizes),
        indices,
      };
    },
  };
}

/** The objects of an image, all of classes that there are: of another one nothing could be learnt. */
async function objectsOf(data: Dataset<ImageInstances>, index: number): Promise<ImageInstances> {
  const target = await targetOf(data, index);
  const { name, classes } = data;
  for (const { id, class: label } of target.instances)
    if (!(label in classes))
      throw new StageError(`image ${index} of ${name}: annotation ${id} has the class ${label}`, {
        hint: `classes are numbers from 0 to ${classes.length - 1}, places in its \`classes\``,
      });
  return target;
}

/** Images of a test. A place in the image is that in the picture, divided by the scales. */
export interface DetectionTest {
  /** uint8 [B, size, size, 3]: each picture in the top left corner. */
  readonly images: HostTensor;
  /** int32 [B, 2]: height and width of the picture in the canvas. */
  readonly sizes: HostTensor;
  /** Size of the picture over that of the image, down and across. */
  readonly scales: readonly (readonly [down: number, across: number])[];
  /** Number, size and objects of each image, as annotated. */
  readonly targets: readonly ImageInstances[];
  readonly indices: Int32Array;
}

export interface DetectionPassOptions extends Common {
  readonly view: StillDetectionView;
  /** Ends the pass by rejecting with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Every image of a test of detection once, in order, in batches of one size: places of the last batch from `real` on repeat
 * its first image.
 *
 * @throws StageError as `openDetectionLoader` does, or one that names the image, if it can't be read
 */
export function detectionPass(
  data: Dataset<ImageInstances>,
  { view, batchSize, workers = availableParallelism(), signal }: DetectionPassOptions,
): AsyncGenerator<DetectionTest & { readonly real: number }, void, undefined> {
  const open = () => openTestSampler(data, settle(view, sizeOf(view, data)), { batchSize, workers });
  return passBatches(data.count, batchSize, open, signal);
}

function openTestSampler(
  data: Dataset<ImageInstances>,
  sight: CanvasSight,
  { batchSize, workers }: Required<Common>,
): Sampler<DetectionTest> {
  const renderer = openRenderer(workers);
  const lanes = workers === 0 ? 4 : Number.POSITIVE_INFINITY;
  const { size } = sight;
  const pixels = size * size * 3;
  return {
    bytes: batchSize * pixels,
    close: renderer.close,
    handsOut: true,
    async sample({ indices, real }, signal, handedOut) {
      const images = new Uint8Array(batchSize * pixels);
      const sizes = new Int32Array(batchSize * 2);
      const targets = await Promise.all(Array.from(indices, (index) => targetOf(data, index)));
      handedOut();
      await inLanes(real, lanes, async (place) => {
        signal.throwIfAborted();
        const { height, width } = targets[place]!;
        const made = await withImage(data, indices[place], (image) =>
          renderer.make('canvas', { image, size: { height, width }, sight }),
        );
        images.set(made.image, place * pixels);
        sizes.set([made.height, made.width], place * 2);
      });
      for (let place = real; place < batchSize; place++) {
        images.copyWithin(place * pixels, 0, pixels);
        sizes.copyWithin(place * 2, 0, 2);
      }
      const scales = targets.map(
        ({ height, width }, place) => [sizes[2 * place]! / height, sizes[2 * place + 1]! / width] as const,
      );
      return {
        images: bytesTensor([batchSize, size, size, 3], images),
        sizes: hostTensor([batchSize, 2], sizes),
        ...{ scales, targets, indices },
      };
    },
  };
}
