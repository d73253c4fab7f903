import test from 'ava';
import { hostTensor } from '../../components/nn/tree.ts';
import { inception } from '../../components/perceptual/inception/config.ts';
import { load } from '../../components/perceptual/inception/load.ts';
import { reconstructionLoss } from '../../components/tokenizer/reconstruction.ts';
import { type VqvaeConfig, vqvae } from '../../components/tokenizer/vqvae/config.ts';
import { vqvaeObjective } from '../../components/tokenizer/vqvae/model.ts';
import { histories, proveEnginesAgree } from '../components/engine/steps/support/prove.ts';
import { between, permutation, seededWeights } from '../components/engine/steps/support/seeded.ts';
import { trainingOf } from '../components/engine/steps/support/train.ts';
import { leafInput } from '../support/stage-input.ts';

// PeCo's tokenizer with the network that experiments use: strides, unpadded convolutions, average pooling, branches.
const network = inception({ upsample: 1 });
const config = vqvae({
  width: 32,
  stride: 8,
  residualBlocks: 1,
  loss: { perceptual: { network, layers: ['activation_3', 'activation_5', 'mixed0'] } },
  steps: 20,
  batchSize: 2,
  warmup: 0,
  codebook: { size: 16, dim: 8 },
}).config as VqvaeConfig;

const leaf = leafInput(network);
const reconstruction = await reconstructionLoss(
  { inputs: { network: { ...leaf, load: () => load(leaf) } } },
  config,
);
const objective = vqvaeObjective(config, reconstruction, 0);
const parameters = seededWeights('inception', objective.init());
const training = trainingOf(
  'vqvae with inception',
  objective,
  config,
  { parameters, rest: objective.rest!.init() },
  (step) => ({
    images: between(`inception/images/${step}`, [2, 32, 32, 3], 0, 1),
    candidates: hostTensor(
      [16],
      Int32Array.from(permutation(`inception/candidates/${step}`, 32).slice(0, 16)),
    ),
  }),
);
const subject = { size: 'large' as const, training, forward: () => Promise.resolve({}) };
const historyOf = histories(subject);
proveEnginesAgree(subject, historyOf);

test('the perceptual loss counts, and training lowers it', async (t) => {
  const { perceptual } = (await historyOf('onnx')).out;
  t.true(perceptual[0] > 0.1);
  t.true(perceptual[perceptual.length - 1] < perceptual[0]);
});
