/**
 * Does a tokenizer with a perceptual loss make a backbone that transfers better? PeCo's table at a size for a laptop: its four
 * kinds of tasks on composites, scenes in colour whose pixels say little of what they mean.
 *
 *   npx peco-exp run experiments/small-transfer.ts
 *
 * Data: 20,000 training scenes of 64x64 pixels (`composites`) and 2,000 test scenes, of which 1,000 are segmented and searched
 * for objects: one or two items of Fashion-MNIST, turned, coloured, before textures and among pieces of the same cloth. No item,
 * and no look of a texture, is in both splits.
 *
 * Rows:
 *
 * - scratch: no pretraining
 * - beit: the baseline, a Gumbel-softmax dVAE
 * - pixel: VQ-VAE
 * - untrained: VQ-VAE with a perceptual loss on a VGG with random weights, a control
 * - peco: the same loss on a VGG that learnt to tell rotations apart; it sees no label
 *
 * Columns: fine-tuning and a linear probe (class of the largest item; chance is 10 %), UperNet (mIoU of 10 classes and
 * background; all background gives 6 %), Mask R-CNN (COCO's AP of boxes and masks; chance is 0).
 *
 * Time: the stages add up to 3,585 s, two at a time 30 minutes. Two seeds gave top-1 34 % from scratch and 37 to 39 with
 * pretraining, on the probe 23 and 27 to 28 %, mIoU 14 and 14 to 16 %, box AP 16 and 15 to 18, mask AP 13 and 13 to 15
 * (docs/evidence/small-transfer.md): two seeds say little of the order of tokenizers.
 *
 * Every seed trains the whole chain. Learning rates, layers, weights and sizes were chosen on the split `validation`, made of
 * training items that no training scene shows; but the rates of the rotation network and of UperNet after a first run had shown
 * that they learnt nothing.
 */
import {
  ablationTable,
  composites,
  defineExperiment,
  dvae,
  fineTune,
  linearProbe,
  maskedImageModelling,
  maskRcnn,
  tokenizerEvaluation,
  upernet,
  vgg,
  vit,
  vqvae,
} from 'peco-exp';

const scenes = {
  size: 64,
  objects: [1, 2],
  clutter: [0, 2],
  area: [0.3, 0.4],
  contrast: 1,
  spread: 0.3,
} as const;
const test = { split: 'test', count: 2000, ...scenes } as const;
const data = {
  train: composites({ split: 'train', ...scenes }),
  test: composites({ ...test }),
};
const maps = {
  train: composites({ split: 'train', target: 'label map', ...scenes }),
  test: composites({ ...test, target: 'label map', count: 1000 }),
};
const objects = {
  train: composites({ split: 'train', target: 'instances', ...scenes }),
  test: composites({ ...test, target: 'instances', count: 1000 }),
};

// A patch is a token: 64x64 images, stride 8, 64 tokens.
const tokenizer = {
  width: 48,
  stride: 8,
  codebook: { size: 256, dim: 32 },
  steps: 300,
  batchSize: 16,
  learningRate: 3e-3,
} as const;
// Narrow, and trained for some hundred steps: absolute positions are learnt sooner, and wider random weights are.
const backbone = vit({ dim: 64, depth: 4, heads: 4, patch: 8, positions: 'absolute', initDeviation: 0.2 });

const network = { width: 16, blocks: 4, convsPerBlock: [1, 1, 2, 2], batchSize: 32, learningRate: 4e-3 };
const layers = ['relu1_1', 'relu2_1', 'relu3_2', 'relu4_2'];
const perceptual = { layers, weight: 0.2 };

const classification = { batchSize: 32, dropPath: 0, warmup: 50 };
const segmentation = {
  ...maps,
  channels: 32,
  auxiliary: { channels: 32 },
  dropout: 0,
  batchSize: 16,
  dropPath: 0,
  clipNorm: 1,
  warmup: 50,
  view: { scale: [1, 1], maxClassShare: 1, distortion: 'none' },
} as const;
const detection = {
  ...objects,
  fpnChannels: 32,
  // 8 to 128 pixels on strides of 2 to 32.
  anchors: { scale: 4 },
  rpn: { before: { train: 128, test: 128 }, after: { train: 48, test: 48 }, samples: 64 },
  boxHead: { width: 128, samples: 32, positives: 0.5 },
  maskHead: { size: 7, convolutions: 2, channels: 32 },
  pooling: { size: 56, level: 2 },
  detections: { most: 20 },
  batchSize: 8,
  dropPath: 0,
  clipNorm: 1,
  warmup: 50,
  view: { maxInstances: 4 },
} as const;

export default defineExperiment({
  name: 'small-transfer',
  seeds: [0, 1],
  data,
  tokenizers: {
    beit: dvae(tokenizer),
    pixel: vqvae(tokenizer),
    untrained: vqvae({
      ...tokenizer,
      loss: { perceptual: { ...perceptual, network: vgg({ ...network, steps: 0 }) } },
    }),
    peco: vqvae({
      ...tokenizer,
      loss: {
        // At 4e-3, the quickstart's rate, rotations stay a guess here.
        perceptual: {
          ...perceptual,
          network: vgg({ ...network, steps: 600, learningRate: 1e-3, objective: 'rotations' }),
        },
      },
    }),
  },
  evaluation: tokenizerEvaluation({ images: 2000 }),
  pretraining: {
    base: maskedImageModelling({ backbone, batchSize: 32, steps: 800, learningRate: 1.5e-3, dropPath: 0 }),
  },
  downstream: {
    finetune: fineTune({ ...classification, steps: 500, learningRate: 1e-3 }),
    probe: linearProbe({ layer: 3, labels: 5000 }),
    segmentation: upernet({ ...segmentation, steps: 240, learningRate: 5e-3 }),
    detection: maskRcnn({ ...detection, steps: 320, learningRate: 1e-3 }),
  },
  scratch: {
    downstream: {
      // Random weights want every layer to move. Otherwise, as much training as the others.
      finetune: fineTune({ ...classification, backbone, steps: 500, learningRate: 1e-3, layerDecay: 1 }),
      probe: linearProbe({ backbone, layer: 3, labels: 5000 }),
      segmentation: upernet({ ...segmentation, backbone, steps: 240, learningRate: 5e-3, layerDecay: 1 }),
      detection: maskRcnn({ ...detection, backbone, steps: 320, learningRate: 1e-3, layerDecay: 1 }),
    },
  },
  baseline: 'beit',
  report: ablationTable({}),
});
