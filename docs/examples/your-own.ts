/**
 * An experiment in which the data set, a tokenizer, a perceptual network, a task and the report are not built in.
 *
 *   npx tsx docs/examples/make-images.ts /tmp/images
 *   IMAGES=/tmp/images npx peco-exp run docs/examples/your-own.ts
 *
 * Time: about half a minute on two cores. The images are small stripes and the trainings a few steps long: the numbers mean
 * nothing.
 */
import { defineExperiment, env, maskedImageModelling, tokenizerEvaluation, vit, vqvae } from 'peco-exp';
import { edges } from './edges/config.ts';
import { kMeans } from './k-means/config.ts';
import { latexTable } from './latex-table/config.ts';
import { nearestMean } from './nearest-mean/config.ts';
import { pngFolder } from './png-folder/config.ts';

export default defineExperiment({
  name: 'your-own',
  seeds: [0],
  data: {
    train: pngFolder({ root: env('IMAGES', 'train') }),
    test: pngFolder({ root: env('IMAGES', 'test') }),
  },
  tokenizers: {
    patches: kMeans({ size: 16, images: 40, passes: 5 }),
    edges: vqvae({
      width: 16,
      codebook: { size: 16, dim: 8 },
      loss: { perceptual: { network: edges({}), layers: ['fine', 'coarse'] } },
      steps: 10,
      batchSize: 8,
    }),
  },
  evaluation: tokenizerEvaluation({ probeLabels: 0, pictures: 4 }),
  pretraining: {
    base: maskedImageModelling({
      backbone: vit({ dim: 16, depth: 1, heads: 2, patch: 8 }),
      steps: 10,
      batchSize: 8,
    }),
  },
  downstream: { nearest: nearestMean({ labels: 20 }) },
  baseline: 'patches',
  report: latexTable({ caption: 'Components of my own', metrics: ['top1', 'psnr'] }),
});
