import type * as tf from '@tensorflow/tfjs-core';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import type { Labels } from '../../../data/decode/label-map.ts';
import type { Engine, HostOf, HostTensor } from '../../../engine/types.ts';
import { evaluationNorms, type RunningStatistics } from '../../../nn/batch-norm.ts';
import { firstNonFinite } from '../../../nn/finite.ts';
import { bytesTensor } from '../../../nn/tree.ts';
import { unit } from '../../../nn/unit.ts';
import { resize } from '../model/layers.ts';
import { type Segmenter, type SegmenterSizes, segment } from '../model/segmenter.ts';
import { decide } from './decide.ts';
import { type Classify, WindowQueue } from './queue.ts';
import { MeanLogits, type Picture, placesOf } from './windows.ts';

/** What is looked at: an image as pictures of one or several sizes, and its label map. */
export interface TestImage {
  readonly index: number;
  /** uint8 [height, width, 3], one for each of the test's scales. */
  readonly pictures: readonly HostTensor[];
  readonly target: Labels;
}

/** The weights of a segmentation, and what its batch norms evaluate with. */
export interface Weights<T> {
  readonly parameters: Segmenter<T>;
  readonly running: RunningStatistics<T>;
}

export interface TestOptions {
  /** Height and width of a window: the size of the training's pictures. */
  readonly size: number;
  readonly stride: number;
  /** How often the picture of each scale counts. */
  readonly weights: readonly number[];
  /** Whether mirror images are looked at, too. */
  readonly flip: boolean;
  /** Colour of what no picture covers. */
  readonly fill: readonly number[];
}

/** An image with its class for each pixel, as predicted. */
export interface Predicted {
  readonly image: TestImage;
  /** [height, width] of its label map. */
  readonly labels: Uint8Array;
  /** By how many windows it was seen. */
  readonly windows: number;
}

/** Looks at images by one compiled program. */
export interface Tester {
  /** Windows of a run of the program. */
  readonly together: number;
  /** Gives images when all of their windows were seen, in their order. */
  run(
    weights: HostOf<Weights<tf.Tensor>>,
    images: AsyncIterable<TestImage>,
  ): AsyncGenerator<readonly Predicted[], void, undefined>;
  dispose(): void;
}

/** Pixels of the windows of a run, at least those of one window. */
const together = 2 ** 18;
const mostWindows = 64;

/** Compiles the program of a test. `weights` give the form of those that are tested. */
export async function openTester(
  engine: Engine,
  sizes: SegmenterSizes,
  weights: HostOf<Weights<tf.Tensor>>,
  options: TestOptions,
): Promise<Tester> {
  const { size } = options;
  const count = Math.max(1, Math.min(mostWindows, Math.floor(together / size ** 2)));
  const state = engine.state<Weights<tf.Tensor>>(weights);
  const program = await engine.compile({
    name: 'segmentation test',
    state,
    step: (frozen: Weights<tf.Tensor>, { windows }: { windows: tf.Tensor }) => {
      const norm = evaluationNorms(frozen.running);
      const { logits } = segment(frozen.parameters, sizes, unit(windows), { norm });
      return { state: frozen, out: { logits: resize(logits, [size, size]) } };
    },
    batch: { windows: { dtype: 'uint8', shape: [count, size, size, 3] } },
  });
  const classify = async (windows: Uint8Array) => {
    const { logits } = await program.run({ windows: bytesTensor([count, size, size, 3], windows) });
    const values = logits.data as Float32Array;
    const bad = firstNonFinite(values);
    if (bad === undefined) return values;
    throw new StageError(`the test of segmentation: a picture gives ${bad}`, {
      hint: 'the weights are too large for float32: lower the learning rate of their training',
    });
  };
  return {
    together: count,
    async *run(tested, images) {
      state.write(tested);
      yield* testImages({ classify, count }, images, { ...options, classes: sizes.classes });
    },
    dispose() {
      program.dispose();
      state.dispose();
    },
  };
}

/**
 * Sees images by windows and says the class of each of their pixels, as `slide_inference` and `aug_test` of mmsegmentation: logits
 * are the mean of the windows that see a pixel, resized to the label map; several views are averaged as probabilities.
 *
 * @param network `count`: windows that it takes at once
 */
export async function* testImages(
  network: { readonly classify: Classify; readonly count: number },
  images: AsyncIterable<TestImage> | Iterable<TestImage>,
  { classes, ...options }: TestOptions & { readonly classes: number },
): AsyncGenerator<readonly Predicted[], void, undefined> {
  const queue = new WindowQueue({ ...network, size: options.size, fill: options.fill });
  const done: Predicted[] = [];
  for await (const image of images) {
    await look(image, queue, classes, options, (predicted) => done.push(predicted));
    if (done.length > 0) yield done.splice(0);
  }
  await queue.flush();
  if (done.length > 0) yield done;
}

/** Asks for all windows of an image; the last one's logits decide it. */
async function look(
  image: TestImage,
  queue: WindowQueue,
  classes: number,
  { weights, flip, ...windows }: TestOptions,
  onImage: (predicted: Predicted) => void,
): Promise<void> {
  const views = image.pictures.flatMap((tensor, place) => {
    const picture = pictureOf(tensor);
    const seen = (mirrored: boolean) => ({
      ...{ picture, mirrored, weight: weights[place]! },
      ...{ places: placesOf(picture, windows), logits: new MeanLogits(picture, classes) },
    });
    return flip ? [seen(false), seen(true)] : [seen(false)];
  });
  const all = views.reduce((sum, { places }) => sum + places.length, 0);
  let left = all;
  for (const { picture, mirrored, places, logits } of views) {
    for (const place of places) {
      const receive = (values: Float32Array) => {
        logits.add(place, values, windows.size);
        left--;
        if (left > 0) return;
        for (const view of views) view.logits.finish();
        onImage({ image, labels: decide(views, image.target, classes), windows: all });
      };
      await queue.push(picture, place, { mirrored, receive });
    }
  }
}

function pictureOf({ shape, data }: HostTensor): Picture {
  const [height, width] = shape as [number, number];
  return { height, width, bytes: data as Uint8Array };
}
