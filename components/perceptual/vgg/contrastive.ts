import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext } from '../../../framework/stage/contract.ts';
import { openLoader } from '../../data/loader.ts';
import type { Dataset } from '../../data/types.ts';
import { sizeOf } from '../../data/views/view.ts';
import type { Engine, HostOf } from '../../engine/types.ts';
import { contrast } from '../../nn/contrast.ts';
import { unit } from '../../nn/unit.ts';
import type { Batches } from '../../training/fit.ts';
import { openImages } from '../../training/images.ts';
import type { Objective } from '../../training/objective.ts';
import type { Plan } from '../../training/recipe.ts';
import type { VggConfig } from './config.ts';
import { initProjected, type VggParameters, vggProjections } from './model.ts';

/** Two views of each image, uint8 [n, h, w, 3]. */
export interface TwoViews<T> {
  readonly first: T;
  readonly second: T;
}

type Parameters = VggParameters<tf.Tensor>;

/** SimCLR (Chen et al. 2020): two views of an image are alike, those of different images aren't. Reads no label. */
export function contrastiveObjective(
  config: VggConfig,
  seed: number,
): Objective<Parameters, TwoViews<tf.Tensor>> {
  return {
    name: 'vgg training',
    init: () => initProjected(config, config.contrast!.dim, seed),
    loss(parameters, { batch }) {
      const { loss, accuracy } = compare(parameters, batch, config);
      return { loss, shown: { accuracy } };
    },
  };
}

function compare(parameters: Parameters, { first, second }: TwoViews<tf.Tensor>, config: VggConfig) {
  const project = (images: tf.Tensor) => vggProjections(parameters, unit(images as tf.Tensor4D), config);
  return contrast(project(first), project(second), config.contrast!.temperature);
}

const PURPOSE = 'vgg';
const SECOND = 'vgg second view';

/** Both loaders show the same images, each in a view of its own. */
export function contrastiveBatches(
  context: StageContext<VggConfig>,
  dataset: Dataset,
  plan: Plan,
): Batches<TwoViews<tf.Tensor>> {
  const options = { purpose: PURPOSE, view: context.config.view, pictures: { images: {} } };
  const first = openImages(context, dataset, plan, options);
  const second = openImages(context, dataset, plan, { ...options, chances: SECOND });
  return {
    async close() {
      await Promise.all([first.close(), second.close()]);
    },
    async batch({ index }) {
      const [one, other] = await Promise.all([first.batch(index), second.batch(index)]);
      return { first: one.pictures.images, second: other.pictures.images };
    },
  };
}

/** Share of the views of images that were held out that are most similar to the other view of their image. */
export async function measurePairs(
  engine: Engine,
  parameters: HostOf<Parameters>,
  heldOut: Dataset,
  { config, seed, signal, engine: { threads } }: StageContext<VggConfig>,
): Promise<number> {
  const { view } = config;
  const batchSize = Math.min(config.batchSize, heldOut.count);
  const steps = Math.floor(heldOut.count / batchSize);
  const size = sizeOf(view, heldOut);
  const images = { dtype: 'uint8', shape: [batchSize, size, size, 3] } as const;
  const program = await engine.compile({
    name: 'vgg pairs',
    state: engine.state<Parameters>(parameters),
    step: (values: Parameters, batch: TwoViews<tf.Tensor>) => ({
      state: values,
      out: { accuracy: compare(values, batch, config).accuracy },
    }),
    batch: { first: images, second: images },
  });
  const options = { purpose: 'vgg held out', seed, view, batchSize, steps, workers: threads };
  const first = openLoader(heldOut, { ...options, pictures: { images: {} } });
  const second = openLoader(heldOut, { ...options, chances: `${SECOND} held out`, pictures: { images: {} } });
  try {
    let sum = 0;
    for (let step = 0; step < steps; step++) {
      signal.throwIfAborted();
      const [one, other] = [await first.batch(step), await second.batch(step)];
      const out = await program.run({ first: one.pictures.images, second: other.pictures.images });
      sum += Number(out.accuracy.data[0]);
    }
    return sum / steps;
  } finally {
    await Promise.all([first.close(), second.close()]);
    program.dispose();
  }
}
