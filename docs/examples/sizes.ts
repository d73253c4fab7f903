import { defineExperiment, product } from 'peco-exp';
import quickstart from '../../experiments/quickstart.ts';

export default defineExperiment({
  ...quickstart,
  name: 'sizes',
  sweep: product({
    'tokenizers.peco.codebook.size': [128, 256, 512],
    'tokenizers.peco.codebook.dim': [16, 32],
  }),
});
