import { chain, choice, defineExperiment, logUniform, powerOfTwo, random, zip } from 'peco-exp';
import quickstart from '../../experiments/quickstart.ts';

export default defineExperiment({
  ...quickstart,
  name: 'combined',
  sweep: chain(
    // Two points: the first values together, then the second ones.
    zip({ 'tokenizers.pixel.codebook.size': [64, 512], 'tokenizers.pixel.steps': [120, 240] }),
    // Ten points, drawn by seed 7.
    random(
      10,
      {
        'tokenizers.pixel.codebook.size': powerOfTwo(64, 1024),
        'tokenizers.pixel.learningRate': logUniform(1e-3, 1e-2),
        'tokenizers.pixel.codebook.dim': choice([8, 16, 32]),
      },
      7,
    ),
  ),
});
