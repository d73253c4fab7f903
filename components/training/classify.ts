import type * as tf from '@tensorflow/tfjs-core';
import { StageError } from '../../framework/stage/stage-error.ts';
import { onePass } from '../data/loader.ts';
import { restOf } from '../data/subset.ts';
import type { Dataset } from '../data/types.ts';
import { type StillView, sizeOf } from '../data/views/view.ts';
import type { Engine, HostOf, State } from '../engine/types.ts';
import { firstNonFinite } from '../nn/finite.ts';
import { unit } from '../nn/unit.ts';

/** What `apply` made of some images, in their order. */
export interface Rows<Target> {
  /** [n, D] */
  readonly values: Float32Array;
  /** The targets of those images. */
  readonly targets: readonly Target[];
  /** How many images are done with them, those before the first that was asked for included. */
  readonly done: number;
}

/** What becomes of rows; the next ones wait for it. */
export type OnRows<Target> = (rows: Rows<Target>) => void | Promise<void>;

/** What is applied to which images. */
export interface ForwardOptions<S> {
  readonly name: string;
  readonly state: State<S>;
  /** images [B, H, W, 3] in [0, 1] -> rows [B, D]. */
  readonly apply: (state: S, images: tf.Tensor) => tf.Tensor;
  readonly view: StillView;
  readonly batchSize?: number;
  /** Threads that decode images. */
  readonly workers: number;
  readonly signal: AbortSignal;
}

/** A function that is compiled for images of one size. */
export interface Forward {
  readonly batchSize: number;
  /**
   * Applies it to every image of a data set, in order; or to those from one on whose place is a multiple of the batch: then
   * batches are those of all images, and so are the numbers.
   *
   * @throws Error if a row holds NaN or an infinity: the largest of such numbers would be a class like any other
   */
  over<Target>(dataset: Dataset<Target>, onRows: OnRows<Target>, from?: number): Promise<void>;
  dispose(): void;
}

/** Compiles a function for the images of a data set, and of others of that size. */
export async function openForward<S>(
  engine: Engine,
  dataset: Dataset<unknown>,
  { name, state, apply, view, batchSize = 100, workers, signal }: ForwardOptions<S>,
): Promise<Forward> {
  const size = sizeOf(view, dataset);
  const program = await engine.compile({
    name,
    state,
    step: (frozen: S, batch: { images: tf.Tensor }) => ({
      state: frozen,
      out: { rows: asRows(apply(frozen, unit(batch.images)), batchSize) },
    }),
    batch: { images: { dtype: 'uint8', shape: [batchSize, size, size, 3] } },
  });
  return {
    batchSize,
    dispose: () => program.dispose(),
    async over(images, onRows, from = 0) {
      let done = from;
      const pass = onePass(restOf(images, from), {
        batchSize,
        view,
        workers,
        signal,
        pictures: { images: {} },
      });
      for await (const { pictures, targets, real } of pass) {
        const { rows } = await program.run(pictures as HostOf<{ images: tf.Tensor }>);
        const values = (rows.data as Float32Array).subarray(0, real * rows.shape[1]);
        const bad = firstNonFinite(values);
        if (bad !== undefined) {
          throw new StageError(`${name}: images from ${done} on give ${bad}`, {
            hint: 'the weights are too large for float32: lower the learning rate of their training',
          });
        }
        done += real;
        await onRows({ values, targets: targets.slice(0, real), done });
      }
    },
  };
}

/** @throws StageError if it isn't a row for each image: others would be taken for rows */
function asRows(given: tf.Tensor, images: number): tf.Tensor {
  const { dtype, shape } = given;
  if (dtype === 'float32' && shape.length === 2 && shape[0] === images) return given;
  throw new StageError(`\`apply\` gives ${dtype} [${shape.join(', ')}] for ${images} images`, {
    hint: `give a row of numbers for each image: float32 [${images}, D]`,
  });
}

/** Applies a function to every image of a data set once, or to those from one on; see `Forward`. */
export async function forward<S, Target>(
  engine: Engine,
  dataset: Dataset<Target>,
  {
    onRows,
    from,
    ...options
  }: ForwardOptions<S> & { readonly onRows: OnRows<Target>; readonly from?: number },
): Promise<void> {
  const opened = await openForward(engine, dataset, options);
  await opened.over(dataset, onRows, from);
  opened.dispose();
}
