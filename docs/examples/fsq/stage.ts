import path from 'node:path';
import {
  applyDecoder,
  applyEncoder,
  type Dataset,
  type Decoder,
  type Encoder,
  fit,
  initDecoder,
  initEncoder,
  normal,
  type Objective,
  openEngine,
  openImages,
  random,
  type StageFunction,
  saveTree,
  tf,
  unit,
} from 'peco-exp/kit';
import type { FsqConfig } from './config.ts';
import { quantise } from './levels.ts';

/** The weights: of tensors in a step, and of arrays in a file. */
export interface Fsq<T> {
  readonly encoder: Encoder<T>;
  readonly decoder: Decoder<T>;
}

/** What is trained, and what it is trained for: pure functions of tfjs operations, which the engine compiles. */
function objective(config: FsqConfig, seed: number): Objective<Fsq<tf.Tensor>, { images: tf.Tensor }> {
  const channels = config.levels.length;
  return {
    name: 'fsq training',
    init: () => {
      const decoder = initDecoder(random(seed, 'decoder'), config, channels);
      // Of an image whose codes are all zeros the first convolution leaves nothing but its bias. Were that zero too, each
      // group norm after it would multiply gradients by 1,000: there is no variance, and the root of 1e-6 is 1e-3.
      const bias = normal(random(seed, 'bias'), 0.1, config.width);
      return {
        encoder: initEncoder(random(seed, 'encoder'), config, channels),
        decoder: { ...decoder, in: { ...decoder.in, bias } },
      };
    },
    loss({ encoder, decoder }, { batch }) {
      const images = unit(batch.images);
      const codes = quantise(applyEncoder(encoder, images), config.levels);
      const difference = tf.sub(applyDecoder(decoder, codes), images);
      return {
        loss: tf.mean(tf.abs(difference)),
        // Curves of the report, beside the loss.
        shown: { pixel: tf.mean(tf.square(difference)) },
      };
    },
  };
}

/** Trains the tokenizer and writes `fsq.safetensors`. */
export const run: StageFunction<FsqConfig, { readonly train: Dataset }> = async (context) => {
  const { config, seed } = context;
  const data = await context.inputs.train.load();
  const engine = await openEngine(context.engine);
  const { parameters, last } = await fit(context, engine, objective(config, seed), {
    recipe: config,
    images: data.count,
    batches(plan) {
      const { view } = config;
      const loader = openImages(context, data, plan, {
        purpose: 'tokenizer',
        view,
        pictures: { images: {} },
      });
      return { close: loader.close, batch: async ({ index }) => (await loader.batch(index)).pictures };
    },
  });
  saveTree(path.join(context.outDir, 'fsq.safetensors'), parameters);
  engine.dispose();
  return { metrics: last, about: `levels ${config.levels.join(' x ')}` };
};
