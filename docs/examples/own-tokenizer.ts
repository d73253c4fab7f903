/**
 * Is a learned codebook needed? A tokenizer of one's own, whose codes are rounded numbers, beside VQ-VAE: the same encoder,
 * decoder and training, so that the table compares what is between them.
 *
 *   npx peco-exp run docs/examples/own-tokenizer.ts
 *
 * Time: about a minute on two cores. One seed and trainings of seconds: the numbers say that it works, not which is better.
 */
import {
  ablationTable,
  defineExperiment,
  fashionMnist,
  fineTune,
  maskedImageModelling,
  tokenizerEvaluation,
  vit,
  vqvae,
} from 'peco-exp';
import { fsq } from './fsq/config.ts';

const training = { width: 32, steps: 100 };

export default defineExperiment({
  name: 'own-tokenizer',
  seeds: [0],
  data: { train: fashionMnist({ split: 'train' }), test: fashionMnist({ split: 'test' }) },
  tokenizers: {
    vqvae: vqvae({ ...training, codebook: { size: 256 } }),
    fsq: fsq({ ...training, levels: [8, 8, 4] }), // 256 codes, too
  },
  evaluation: tokenizerEvaluation({ probeLabels: 1000 }),
  pretraining: {
    base: maskedImageModelling({ backbone: vit({ dim: 32, depth: 2, heads: 2, patch: 8 }), steps: 100 }),
  },
  downstream: { finetune: fineTune({ labels: 1000, steps: 50 }) },
  baseline: 'vqvae',
  report: ablationTable(),
});
