/**
 * How large should PeCo's codebook be, and how much should the perceptual loss weigh?
 *
 *   npx peco-exp run experiments/perceptual-sweep.ts
 *
 * Builds on the quickstart. Twelve points (64, 128, 256 or 512 codes; weights 0.05, 0.2 and 0.8) and the rows beit and pixel,
 * two seeds, each a whole chain: tokenizer, measures, pretraining, linear probe. The network of the perceptual loss is trained
 * once a seed, for all points.
 *
 * Measured on training images that no row is trained on, so that the test images stay for a comparison of what this sweep
 * chooses. `report.html` has the curves of all points, with seeds as bands, and the codes of each tokenizer.
 *
 * Time: 22:38 min with one job on one core, beside other work (one measurement); 17 minutes of processor time. Expect gains of
 * 2 to 5 points of the probe over beit in all twelve points, and none beyond the noise of two seeds: no size or weight wins.
 */
import { defineExperiment, fashionMnist, product, tokenizerEvaluation } from 'peco-exp';
import quickstart from './quickstart.ts';

const { beit, pixel, peco } = quickstart.tokenizers;

export default defineExperiment({
  ...quickstart,
  name: 'perceptual-sweep',
  data: {
    train: fashionMnist({ split: 'train', range: [0, 8000] }),
    test: fashionMnist({ split: 'train', range: [8000, 10000] }),
  },
  tokenizers: { beit, pixel, peco },
  evaluation: tokenizerEvaluation({ images: 2000, probeLabels: 0 }),
  downstream: { probe: quickstart.downstream.probe },
  scratch: { downstream: { probe: quickstart.scratch.downstream.probe } },
  sweep: product({
    'tokenizers.peco.codebook.size': [64, 128, 256, 512],
    'tokenizers.peco.loss.perceptual.weight': [0.05, 0.2, 0.8],
  }),
});
