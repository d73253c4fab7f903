import {
  ablationTable,
  defineExperiment,
  dvae,
  fashionMnist,
  fineTune,
  maskedImageModelling,
  vgg,
  vit,
  vqvae,
} from 'peco-exp';

const network = vgg({ steps: 250 }); // trained in the experiment, on the train split
const backbone = vit({ dim: 64, depth: 4, heads: 4, patch: 8 }); // a patch is a token

export default defineExperiment({
  name: 'my-question',
  seeds: [0, 1],
  data: { train: fashionMnist({ split: 'train' }), test: fashionMnist({ split: 'test' }) },
  tokenizers: {
    beit: dvae({ steps: 200 }),
    peco: vqvae({ steps: 200, loss: { perceptual: { network, layers: ['relu3_2'] } } }),
  },
  pretraining: { base: maskedImageModelling({ backbone, steps: 400 }) },
  downstream: { finetune: fineTune({ labels: 2000, steps: 200 }) },
  baseline: 'beit',
  report: ablationTable(),
});
