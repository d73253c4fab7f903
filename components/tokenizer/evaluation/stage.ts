import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { StageFunction, StageResult } from '../../../framework/stage/contract.ts';
import { encodeGrid } from '../../data/decode/png.ts';
import { reportSkipped } from '../../data/skipped.ts';
import { balancedSubset, firstOf, labelsOf } from '../../data/subset.ts';
import type { Dataset, Window } from '../../data/types.ts';
import { sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import type { HostTensor } from '../../engine/types.ts';
import { type FeatureRows, featuresInMemory } from '../../training/features.ts';
import { describeFit, linearTopOne, quietly } from '../../training/linear.ts';
import { loadChecked } from '../checked.ts';
import { codebookUsage, perplexity } from '../codebook.ts';
import { codesOf } from '../codes.ts';
import { tokensOf } from '../config.ts';
import type { Tokenizer } from '../tokenizer.ts';
import { writeCodebookUse } from './codebook-use.ts';
import type { TokenizerEvaluationConfig } from './config.ts';
import { measure, windowOf } from './measure.ts';

interface Inputs {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly tokenizer: Tokenizer;
}

/**
 * Measures a tokenizer. Writes the strips `originals.png` and `reconstructions.png`, and what the codes stand for:
 * `codebook.json` and `codes.png`.
 */
export const run: StageFunction<TokenizerEvaluationConfig, Inputs> = reportSkipped(async (context) => {
  const { config, seed, signal } = context;
  const { view, probeLabels } = config;
  const tokenizer = await loadChecked(context.inputs.tokenizer);
  const test = await context.inputs.test.load();
  const engine = await openEngine(context.engine);
  const common = { view, workers: context.engine.threads, signal };
  const count = Math.min(config.images, test.count);
  const pictures = Math.min(config.pictures, count);
  const seen = probeLabels > 0 ? test : firstOf(test, count);
  context.progress({ phase: 'compiling', step: 0, of: seen.count, images: 0 });
  const { codes, psnr, histogram, originals, reconstructions } = await measure(engine, tokenizer, seen, {
    ...common,
    decoded: count,
    pictures,
    onBatch: (step) => context.progress({ phase: 'evaluating', step, of: seen.count, images: step }),
  });
  const form = { size: sizeOf(view, test), columns: pictures };
  await writeFile(path.join(context.outDir, 'originals.png'), encodeGrid(originals, form));
  await writeFile(path.join(context.outDir, 'reconstructions.png'), encodeGrid(reconstructions, form));
  const { stride } = tokenizer;
  const counted = codes.subarray(0, count * tokensOf(form.size, stride));
  await writeCodebookUse(context.outDir, test, { codes: counted, counts: histogram, stride, view });

  const metrics: Record<string, number> = {
    psnr,
    usage: codebookUsage(histogram),
    perplexity: perplexity(histogram),
    images: count,
  };
  const about = describeWindow(test, windowOf(test, view));
  let perImage: StageResult['perImage'];
  if (probeLabels > 0) {
    const train = await context.inputs.train.load();
    const labelled = await balancedSubset(train, probeLabels, seed);
    const { codebook } = tokenizer;
    const fit = await linearTopOne(
      quietly(signal),
      engine,
      meanCodewords(codebook, await codesOf(engine, tokenizer, labelled, common), await labelsOf(labelled)),
      meanCodewords(codebook, codes, await labelsOf(test)),
      { ...config.probe, classes: train.classes.length, seed },
    );
    metrics.codewordTop1 = fit.top1;
    perImage = { codewordTop1: fit.right };
    metrics.codewordConverged = fit.converged;
    about.push(`codeword probe on ${describeFit(labelled.count, fit)}`);
  }
  engine.dispose();
  return {
    metrics,
    ...(perImage === undefined ? {} : { perImage }),
    ...(about.length > 0 ? { about: about.join('; ') } : {}),
  };
});

/** Where PSNR is measured, if that isn't everywhere. */
function describeWindow({ imageSize }: Dataset, window: Window | undefined): string[] {
  if (!window || (window.height === imageSize && window.width === imageSize)) return [];
  return [
    `PSNR of the ${window.height}x${window.width} pixels of ${imageSize}x${imageSize} that are picture`,
  ];
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
