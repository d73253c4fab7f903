import path from 'node:path';
import {
  type Dataset,
  hostTensor,
  imagesAt,
  nearestCodes,
  openEngine,
  type Random,
  random,
  type StageFunction,
  saveTree,
  tf,
  train,
  unit,
} from 'peco-exp/kit';
import type { KMeansConfig } from './config.ts';
import { toPatches } from './patches.ts';

/** Moves each code to the mean of its patches, `passes` times, and writes `codebook.safetensors`. */
export const run: StageFunction<KMeansConfig, { readonly train: Dataset }> = async (context) => {
  const { size, stride, images, passes } = context.config;
  const data = await context.inputs.train.load();
  const draw = random(context.seed, 'k-means');
  const pixels = await imagesAt(data, draw.permutation(data.count).subarray(0, images));

  const engine = await openEngine(context.engine);
  const state = engine.state<{ codebook: tf.Tensor }>({
    codebook: await randomPatches(data, context.config, draw),
  });
  const program = await engine.compile({
    name: 'k-means',
    state,
    batch: { images: pixels },
    // A pure function of tfjs operations; the engine compiles it.
    step: ({ codebook }: { codebook: tf.Tensor }, batch: { images: tf.Tensor }) => {
      const patches = toPatches(unit(batch.images), stride);
      const codes = nearestCodes(patches, codebook);
      const members = tf.cast(tf.oneHot(codes, size), 'float32') as tf.Tensor2D;
      const counts = tf.expandDims(tf.sum(members, 0), 1);
      const means = tf.div(tf.matMul(members, patches, true), tf.maximum(counts, 1));
      const distance = tf.mean(tf.squaredDifference(patches, tf.gather(codebook, codes)));
      // A code without patches stays where it is.
      return { state: { codebook: tf.where(tf.greater(counts, 0), means, codebook) }, out: { distance } };
    },
  });
  // The loop of all trainings: progress, history, checkpoints, and numbers that must be finite.
  const last = await train(context, {
    state,
    steps: passes,
    batchSize: images,
    run: () => program.run({ images: pixels }),
  });
  await saveTree(path.join(context.outDir, 'codebook.safetensors'), state.read());
  engine.dispose();
  return { metrics: last, about: `${size} patches of ${images} images` };
};

/** Patches at random places, as the first codes: [size, stride * stride * 3]. */
async function randomPatches(data: Dataset, { size, stride }: KMeansConfig, draw: Random) {
  const row = stride * 3;
  const codes = new Float32Array(size * stride * row);
  const chosen = Int32Array.from({ length: size }, () => draw.int(data.count));
  const { data: pixels, shape } = await imagesAt(data, chosen);
  const side = shape[1];
  for (let code = 0; code < size; code++) {
    const [top, left] = [stride * draw.int(side / stride), stride * draw.int(side / stride)];
    for (let y = 0; y < stride; y++) {
      const from = ((code * side + top + y) * side + left) * 3;
      for (let i = 0; i < row; i++) codes[(code * stride + y) * row + i] = pixels[from + i] / 255;
    }
  }
  return hostTensor([size, stride * row], codes);
}
