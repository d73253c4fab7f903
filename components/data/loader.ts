import { availableParallelism } from 'node:os';
import { StageError } from '../../framework/stage/stage-error.ts';
import type { HostTensor } from '../engine/types.ts';
import { bytesTensor } from '../nn/tree.ts';
import { inLanes } from './ahead.ts';
import { type Loader, passBatches, type Sampler, trainingBatches, withImage } from './batches.ts';
import { openRenderer, type Renderer } from './decode/renderer.ts';
import { targetOf } from './subset.ts';
import type { Dataset } from './types.ts';
import type { Chance } from './views/chance.ts';
import type { Sight } from './views/render.ts';
import { type Picture, plainView, type StillView, sizeOf, type View } from './views/view.ts';

export type { Loader } from './batches.ts';

/** Images as a step or a pass sees them. The arrays are the caller's to keep. */
export interface Sampled<Target, Names extends string = string> {
  /** By the names that were asked for: uint8 [B, size, size, 3]. A program makes numbers in [0, 1] of them by `unit`. */
  readonly pictures: { readonly [name in Names]: HostTensor };
  readonly targets: readonly Target[];
  /** Which images they are. */
  readonly indices: Int32Array;
}

interface Common<Names extends string> {
  readonly batchSize: number;
  /** Pictures of each image by name, all of the same crop and flip: `{ images: {} }` is one as the view says. */
  readonly pictures: { readonly [name in Names]: Picture };
  /** Threads that decode and resize; the bytes don't depend on how many. 0: none but the caller's. Absent: one a core. */
  readonly workers?: number;
}

/** Which batches of a data set a training sees. */
export interface LoaderOptions<Names extends string> extends Common<Names> {
  readonly seed: number;
  /** Keeps the streams of different trainings apart: `tokenizer`, `pretraining`, ... */
  readonly purpose: string;
  /** Absent: the purpose. Loaders of one purpose show the same images; with other chances other views of them. */
  readonly chances?: string;
  readonly view: View;
  /** Steps of the training: none is prepared past the last. */
  readonly steps?: number;
}

export interface PassOptions<Names extends string> extends Common<Names> {
  readonly view: StillView;
  /** Ends the pass by rejecting with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Shuffled batches of a training: each image once before any is shown again. Crops and flips are drawn by seed, purpose,
 * epoch and index of the image, so they don't depend on the size of a batch.
 */
export function openLoader<T, const Names extends string>(
  data: Dataset<T>,
  options: LoaderOptions<Names>,
): Loader<Sampled<T, Names>> {
  return trainingBatches(data.count, options, openSampler(data, options, options.view.flip));
}

/**
 * Every image once, in order, in batches of one size, since programs have fixed shapes: places of the last batch from
 * `real` on repeat its first image.
 *
 * @throws Error that names the image, if one can't be read
 */
export function onePass<T, const Names extends string>(
  data: Dataset<T>,
  { signal, ...options }: PassOptions<Names>,
): AsyncGenerator<Sampled<T, Names> & { readonly real: number }, void, undefined> {
  return passBatches(data.count, options.batchSize, () => openSampler(data, options, 0), signal);
}

/** These images in this order, each as it is or resized: uint8 [indices.length, size, size, 3]. */
export async function imagesAt<T>(
  data: Dataset<T>,
  indices: ArrayLike<number>,
  view: StillView = plainView,
): Promise<HostTensor> {
  const wanted = { indices: Int32Array.from(indices), real: indices.length, chanceOf: () => undefined };
  const sampler = openSampler(
    data,
    { batchSize: indices.length, pictures: { images: {} }, workers: 0, view },
    0,
  );
  const { pictures } = await sampler.sample(wanted, new AbortController().signal, () => {});
  await sampler.close();
  return pictures.images;
}

function openSampler<T, Names extends string>(
  data: Dataset<T>,
  {
    batchSize,
    view,
    pictures,
    workers = availableParallelism(),
  }: Common<Names> & { readonly view: View | StillView },
  flip: number,
): Sampler<Sampled<T, Names>> {
  const names = Object.keys(pictures) as Names[];
  const sight = settle(data, view, flip, Object.values<Picture>(pictures));
  const renderer = openRenderer(workers);
  // All at once: the threads have a batch's images before a step begins, which keeps this thread busy until its end.
  const lanes = workers === 0 ? 4 : Number.POSITIVE_INFINITY;
  return {
    bytes: batchSize * sight.pictures.reduce((sum, { size }) => sum + size * size * 3, 0),
    close: renderer.close,
    async sample({ indices, real, chanceOf }, signal) {
      const values = sight.pictures.map(({ size }) => new Uint8Array(indices.length * size * size * 3));
      const targets = new Array<T>(indices.length);
      await inLanes(real, lanes, async (place) => {
        signal.throwIfAborted();
        targets[place] = await targetOf(data, indices[place]);
        const made = await render(data, indices[place], { renderer, sight, chance: chanceOf(place) });
        let from = 0;
        for (const array of values) {
          const length = array.length / indices.length;
          array.set(made.subarray(from, from + length), place * length);
          from += length;
        }
      });
      for (let place = real; place < indices.length; place++) {
        targets[place] = targets[0];
        for (const array of values) {
          const length = array.length / indices.length;
          array.copyWithin(place * length, 0, length);
        }
      }
      const tensors = names.map((name, n): [Names, HostTensor] => {
        const { size } = sight.pictures[n];
        return [name, bytesTensor([indices.length, size, size, 3], values[n])];
      });
      return { pictures: Object.fromEntries(tensors) as Sampled<T, Names>['pictures'], targets, indices };
    },
  };
}

/** A view with the sizes of its pictures. */
function settle<T>(
  data: Dataset<T>,
  view: View | StillView,
  flip: number,
  pictures: readonly Picture[],
): Sight {
  const settled = pictures.map(({ size, interpolation }) => ({
    size: size ?? sizeOf(view, data),
    interpolation: interpolation ?? view.interpolation,
  }));
  const sizes = new Set(settled.map(({ size }) => size));
  if (view.crop.kind === 'shift' && sizes.size > 1)
    throw new StageError('a crop that shifts moves whole pixels, so all pictures must have one size', {
      hint: 'choose another `view.crop`, such as `random-resized`',
    });
  const { imageSize } = data;
  return {
    ...{ crop: view.crop, flip, pictures: settled },
    ...changesOf(view),
    ...(imageSize === undefined ? {} : { imageSize }),
  };
}

/** What a training changes of a picture; an evaluation, nothing. */
function changesOf(view: View | StillView): Pick<Sight, 'jitter' | 'randAugment' | 'erasing'> {
  if (!('flip' in view)) return {};
  const { jitter, randAugment, erasing } = view;
  return { ...(jitter && { jitter }), ...(randAugment && { randAugment }), ...(erasing && { erasing }) };
}

/** The pictures of one image, one after the other. */
function render<T>(
  data: Dataset<T>,
  index: number,
  { renderer, sight, chance }: { renderer: Renderer; sight: Sight; chance: Chance | undefined },
): Promise<Uint8Array> {
  return withImage(data, index, (image) => renderer.render({ image, sight, ...(chance ? { chance } : {}) }));
}
