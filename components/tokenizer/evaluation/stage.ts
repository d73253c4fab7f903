import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { encodeGrid } from '../../data/decode/png.ts';
import { classBalancedSubset } from '../../data/order.ts';
import { subset } from '../../data/subset.ts';
import type { Dataset } from '../../data/types.ts';
import { openEngine } from '../../engine/open.ts';
import type { Engine, HostTensor } from '../../engine/types.ts';
import { firstNonFinite } from '../../nn/finite.ts';
import { hostTensor } from '../../nn/tree.ts';
import { type FeatureRows, featuresInMemory } from '../../training/features.ts';
import { describeFit, linearTopOne, quietly } from '../../training/linear.ts';
import { codebookUsage, perplexity } from '../codebook.ts';
import { codesOf } from '../codes.ts';
import type { Tokenizer } from '../tokenizer.ts';
import type { TokenizerEvaluationConfig } from './config.ts';
import { meanPsnr } from './psnr.ts';

/** Measures a tokenizer and writes the strips `originals.png` and `reconstructions.png`. */
export const run: StageFunction<TokenizerEvaluationConfig> = async (context) => {
  const { config, seed } = context;
  const tokenizer = await context.inputs.tokenizer.load<Tokenizer>();
  const test = await context.inputs.test.load<Dataset>();
  const engine = await openEngine(context.engine);
  const count = Math.min(config.images, test.count);
  const show = (step: number) => {
    context.signal.throwIfAborted();
    context.progress({ step, of: 2 * count, images: step });
  };
  const codes = await codesOf(engine, tokenizer, test, { count, onBatch: show });
  const reconstructed = await reconstruct(engine, tokenizer, codes, test.size, (done) => show(count + done));
  const originals = test.read(Int32Array.from({ length: count }, (_, i) => i));
  const histogram = new Float64Array(tokenizer.vocabulary);
  for (const code of codes) histogram[code]++;

  const pictures = Math.min(config.pictures, count);
  const strip = (pixels: Float32Array) =>
    encodeGrid(pixels.subarray(0, pictures * test.size ** 2 * 3), { size: test.size, columns: pictures });
  await writeFile(path.join(context.outDir, 'originals.png'), strip(originals));
  await writeFile(path.join(context.outDir, 'reconstructions.png'), strip(reconstructed));

  const metrics: Record<string, number> = {
    psnr: meanPsnr(originals, reconstructed, test),
    usage: codebookUsage(histogram),
    perplexity: perplexity(histogram),
    images: count,
  };
  const about = describeWindow(test);
  if (config.probeLabels > 0) {
    const train = await context.inputs.train.load<Dataset>();
    const labelled = subset(train, classBalancedSubset(train.labels, config.probeLabels, seed));
    const trainCodes = await codesOf(engine, tokenizer, labelled);
    const testCodes = count === test.count ? codes : await codesOf(engine, tokenizer, test);
    const { codebook } = tokenizer;
    const fit = await linearTopOne(
      quietly(context.signal),
      engine,
      meanCodewords(codebook, trainCodes, labelled.labels),
      meanCodewords(codebook, testCodes, test.labels),
      { ...config.probe, classes: train.classes.length, seed },
    );
    metrics.codewordTop1 = fit.top1;
    metrics.codewordConverged = fit.converged;
    about.push(`codeword probe on ${describeFit(labelled.count, fit)}`);
  }
  engine.dispose();
  return { metrics, ...(about.length > 0 ? { about: about.join('; ') } : {}) };
};

/** Where PSNR is measured, if that isn't everywhere. */
function describeWindow({ size, window }: Dataset): string[] {
  if (!window || (window.height === size && window.width === size)) return [];
  return [`PSNR of the ${window.height}x${window.width} pixels of ${size}x${size} that are picture`];
}

/**
 * Images of codes, [images * size * size * 3], clipped to [0, 1].
 *
 * @throws Error that names the image, if a number of one isn't finite: clipped, it would look like any other
 */
async function reconstruct(
  engine: Engine,
  tokenizer: Tokenizer,
  codes: Int32Array,
  size: number,
  onBatch: (done: number) => void,
): Promise<Float32Array> {
  const tokens = (size / tokenizer.stride) ** 2;
  const count = codes.length / tokens;
  const batchSize = Math.min(100, count);
  const program = await engine.compile({
    name: 'tokenizer decode',
    state: engine.state({}),
    step: (
      nothing: Record<string, never>,
      batch: { codes: tf.Tensor },
      weights: Parameters<Tokenizer['decode']>[0],
    ) => ({
      state: nothing,
      out: { images: tokenizer.decode(weights, batch.codes) },
    }),
    batch: { codes: { shape: [batchSize, tokens], dtype: 'int32' } },
    constants: tokenizer.weights as never,
  });
  const pixels = new Float32Array(count * size * size * 3);
  for (let first = 0; first < count; first += batchSize) {
    // The last batch is filled up with zeros: programs have one fixed batch size.
    const batch = new Int32Array(batchSize * tokens);
    batch.set(codes.subarray(first * tokens, (first + batchSize) * tokens));
    const out = await program.run({ codes: hostTensor([batchSize, tokens], batch) });
    const used = Math.min(batchSize, count - first) * size * size * 3;
    const values = (out.images.data as Float32Array).subarray(0, used);
    const bad = firstNonFinite(values);
    if (bad !== undefined) {
      throw new Error(
        `tokenizer decode: images from ${first} on give ${bad}: the weights are too large for float32.`,
      );
    }
    pixels.set(
      values.map((value) => Math.min(1, Math.max(0, value))),
      first * size * size * 3,
    );
    onBatch(Math.min(first + batchSize, count));
  }
  program.dispose();
  return pixels;
}

/** Mean code vector of each image: the features of PeCo's "linear evaluation of codewords". */
function meanCodewords(codebook: HostTensor, codes: Int32Array, labels: ArrayLike<number>): FeatureRows {
  const dim = codebook.shape[1];
  const tokens = codes.length / labels.length;
  const rows = new Float32Array(labels.length * dim);
  for (let i = 0; i < codes.length; i++) {
    const row = Math.floor(i / tokens) * dim;
    for (let d = 0; d < dim; d++) rows[row + d] += (codebook.data[codes[i] * dim + d] as number) / tokens;
  }
  return featuresInMemory(rows, dim, labels);
}
