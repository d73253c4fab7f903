/**
 * Does a perceptual tokenizer make BEiT's pretraining better? PeCo's main experiment (arXiv 2111.12710) at its own size:
 * ImageNet-1K, ViT-B/16 at 224 pixels, 800 epochs of masked image modelling, then fine-tuning and a linear probe on the same
 * images, semantic segmentation on ADE20K, detection and instance segmentation on COCO 2017.
 *
 *   npx peco-exp plan experiments/vitb-800ep.ts           what would run and what it would cost; needs no data
 *   npx peco-exp run experiments/vitb-800ep.ts --smoke    every stage at its smallest size, in minutes; needs no data
 *   export IMAGENET=/data/imagenet                        holds train and val, in each a folder for each class
 *   export ADE20K=/data/ADEChallengeData2016              holds images and annotations
 *   export COCO=/data/coco                                holds train2017, val2017 and annotations
 *   npx peco-exp run experiments/vitb-800ep.ts
 *   npx peco-exp run experiments/vitb-800ep.ts --tasks finetune,probe      needs neither ADE20K nor COCO
 *
 * Rows of the table:
 *
 * - scratch: no pretraining
 * - beit: the baseline, with BEiT's tokenizer, the dVAE of DALL-E. OpenAI trained it on 250 million pictures; it is imported
 *   if DALLE_ENCODER and DALLE_DECODER name its files (encoder.pkl, decoder.pkl). Otherwise a dVAE of the same form is
 *   trained here on ImageNet, since the files can't be shipped. The table says which.
 * - pixel: PeCo's tokenizer without its perceptual loss
 * - peco: the same tokenizer with it. PeCo's network is the ViT-B of MoCo v3, which has seen no label; it is imported if
 *   MOCO_V3 names its file (vit-b-300ep.pth.tar). Otherwise a VGG16 is trained here, without labels too. The table says which.
 *
 * What the papers report for ViT-B, and where each number was found: top-1 % on ImageNet-1K, mIoU on ADE20K, AP of boxes and of
 * masks on COCO after 800 epochs
 *
 *              300 epochs    800 epochs    linear probe            ADE20K      COCO
 *   scratch    81.8 (a)
 *   beit       82.86 (b)     83.19 (b)     56.7 at layer 9 (b)     47.1 (f)    46.3, 41.1 (f)
 *   pixel      82.9 (c)
 *   peco       84.1 (d)      84.5 (e)      not found               48.5 (d)    47.8, 42.6 (f)
 *
 *   (a) DeiT's, quoted in PeCo's table 1: remembered, could not be checked
 *   (b) BEiT, arXiv 2106.08254
 *   (c) PeCo's ablation of its perceptual loss: remembered, could not be checked
 *   (d) TinyMIM, arXiv 2301.01296, table 3
 *   (e) PeCo's abstract, and data2vec, arXiv 2202.03555, table 1
 *   (f) PeCo's later version: remembered, could not be checked. The abstract of its first version, after 300 epochs: 1.0 mIoU,
 *       1.3 AP of boxes and 1.0 of masks above BEiT
 *
 * BEiT's code prints the best epoch on the validation images, and papers report that; here it is the last one.
 *
 * Hours: all rows together are 1.0e21 floating-point operations, as `plan` counts them. On 16 V100 at the 24 TFLOP/s each that
 * BEiT's report implies (5 days for 800 epochs of its row) they would take a month: a division, not a measurement. Measured on
 * one H100 (docs/evidence/gpu.md): the pretraining step as recorded here, compiled by XLA outside of peco-exp in bfloat16, takes
 * 5 days for 800 epochs, 7 with the beit row's tokenizer in it. By those rates all rows would take one H100 60 to 75 days; the
 * tasks on ADE20K and COCO are a twentieth of the operations, and none of them was measured there. No engine of peco-exp runs on
 * a GPU yet, and two cores would need hundreds of years.
 */
import {
  ablationTable,
  ade20k,
  beitFineTuningView,
  beitPretrainingView,
  coco,
  dalle,
  defineExperiment,
  env,
  envIfSet,
  file,
  fineTune,
  imageFolder,
  linearProbe,
  maskedImageModelling,
  maskRcnn,
  tokenizerEvaluation,
  upernet,
  vgg,
  vit,
  vitFeatures,
  vqvae,
} from 'peco-exp';

const size = 224;
const randomCrop = { kind: 'random-resized' } as const;
/** Test images: the shorter side at 256 pixels, of that the middle 224. */
const crop = { kind: 'centre', share: 224 / 256 } as const;

const backbone = vit('base/16');

// ---- Tokenizers ------------------------------------------------------------------------------------------------------------

const beit =
  envIfSet('DALLE_ENCODER') || envIfSet('DALLE_DECODER')
    ? // One without the other is an error that names the other.
      dalle({ weights: { encoder: file(env('DALLE_ENCODER')), decoder: file(env('DALLE_DECODER')) } })
    : // A choice: OpenAI's saw 1.5 billion pictures, 12 times as many, at 256 pixels. 112 is the size at which BEiT uses it.
      dalle({ epochs: 100, batchSize: 512, microBatch: 16, view: { size: 112, crop: randomCrop } });

/**
 * PeCo's tokenizer: 14 x 14 tokens, each one of 8,192 codes. Its code was never released. The size of the codebook is known from
 * BEVT's; rate, batch, warm-up, betas and epochs are remembered; what is marked is a choice.
 */
const tokenizer = {
  stride: 16,
  vqgan: { channels: 128, multipliers: [1, 1, 2, 4, 4], attention: true }, // channels: a choice
  residualBlocks: 2,
  codebook: { size: 8192, dim: 256, decay: 0.99 }, // dim and decay: choices, VQGAN's
  epochs: 100,
  batchSize: 128,
  microBatch: 4, // what memory holds: gradients are summed up
  learningRate: 5e-5,
  warmup: 0.5, // 5,000 steps
  betas: [0.5, 0.95],
  view: { size, crop: randomCrop }, // a choice
} as const;

const mocoV3 = envIfSet('MOCO_V3');
const perceptual = mocoV3
  ? {
      network: vitFeatures({ weights: file(mocoV3), layout: 'moco-v3' }),
      layers: ['block3', 'block6', 'block9', 'block12'],
      weight: 1,
    }
  : {
      network: vgg({
        ...{ width: 64, blocks: 5, convsPerBlock: [2, 2, 3, 3, 3] }, // VGG16
        objective: 'contrastive', // SimCLR's
        epochs: 100,
        batchSize: 96, // every image is compared with every other, so all are in memory at once: 18 GB
        view: { size, crop: randomCrop, jitter: 0.4 },
      }),
      layers: ['relu1_2', 'relu2_2', 'relu3_3', 'relu4_3', 'relu5_3'], // those of LPIPS
      weight: 1,
    };

// ---- Pretraining: BEiT's command for ImageNet-1K (microsoft/unilm, beit/README.md) ------------------------------------------

const pretraining = maskedImageModelling({
  backbone,
  epochs: 800,
  batchSize: 2048, // BEiT: 16 GPUs x 128
  microBatch: 32,
  learningRate: 1.5e-3,
  minLearningRate: 1e-5,
  warmup: 10,
  weightDecay: 0.05,
  clipNorm: 3,
  dropPath: 0.1,
  maskRatio: 75 / 196,
  minMaskPatches: 16,
  view: beitPretrainingView({ size }),
  tokens: { interpolation: 'lanczos' }, // 112 pixels where the tokenizer's stride is 8, 224 where it is 16
});

// ---- Tasks: BEiT's (beit/get_started_for_image_classification.md; paper, appendix) ------------------------------------------

const finetune = {
  batchSize: 1024,
  microBatch: 32,
  minLearningRate: 1e-6,
  weightDecay: 0.05,
  clipNorm: 0,
  dropPath: 0.1,
  labelSmoothing: 0.1,
  mixup: 0.8,
  cutmix: 1,
  view: beitFineTuningView({ size }),
  testView: { crop },
} as const;

/** BEiT's UperNet (microsoft/unilm, beit/semantic_segmentation/configs, upernet_beit_base_12_512_slide_160k_ade20k_pt.py). */
const segmentation = upernet({
  train: ade20k({ root: env('ADE20K'), split: 'training' }),
  test: ade20k({ root: env('ADE20K'), split: 'validation' }),
  layers: [4, 6, 8, 12],
  steps: 160_000,
  warmup: 1500,
  batchSize: 16, // BEiT: 8 GPUs x 2
  microBatch: 2, // 13.5 GB; statistics of batch norms are those of 2 images
  learningRate: 7e-4,
  weightDecay: 0.05,
  layerDecay: 0.65,
  dropPath: 0.1,
  view: { size: 512 },
  testView: { stride: 341 },
});

/**
 * Mask R-CNN with the 1x schedule. PeCo's code was never released, and BEiT has none for COCO: rate, decays, batch and drop path are
 * remembered of PeCo. Its training images have a shorter edge of 480 to 800 and a longer one of at most 1,333 pixels; to fit
 * them into a square of 1,024 is a choice, which a step of one image needs to fit into 24 GB.
 */
const detection = maskRcnn({
  train: coco({ root: env('COCO'), split: 'train2017' }),
  test: coco({ root: env('COCO'), split: 'val2017' }),
  layers: [4, 6, 8, 12],
  epochs: 12,
  batchSize: 16,
  microBatch: 1,
  learningRate: 3e-4,
  weightDecay: 0.05,
  layerDecay: 0.75,
  dropPath: 0.2,
  view: { size: 1024, shorter: [480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800], maskStride: 2 },
  testView: { shorter: 800 },
});

export default defineExperiment({
  name: 'vitb-800ep',
  seeds: [0],
  data: {
    train: imageFolder({ root: env('IMAGENET', 'train'), expected: { images: 1_281_167, classes: 1000 } }),
    test: imageFolder({ root: env('IMAGENET', 'val'), expected: { images: 50_000, classes: 1000 } }),
  },
  tokenizers: {
    beit,
    pixel: vqvae(tokenizer),
    peco: vqvae({ ...tokenizer, loss: { pixel: 1, perceptual } }),
  },
  // At 224 pixels the dVAE has 28 x 28 tokens, four times as many as the others: its PSNR is no fair comparison.
  evaluation: tokenizerEvaluation({ images: 50_000, probeLabels: 100_000, view: { size, crop } }),
  pretraining: { base: pretraining },
  downstream: {
    finetune: fineTune({ ...finetune, epochs: 100, warmup: 20, learningRate: 4e-3, layerDecay: 0.65 }),
    // BEiT's linear evaluation of an inner layer, but of centre crops: BEiT trains it on DINO's random crops.
    probe: linearProbe({
      layer: 9,
      view: { size, crop },
      minibatch: { epochs: 50, batchSize: 1024, learningRate: 4e-3, weightDecay: 1e-4 },
    }),
    segmentation,
    detection,
  },
  scratch: {
    downstream: {
      // A choice, near DeiT's: three times as long, all layers at one rate.
      finetune: fineTune({
        ...{ ...finetune, backbone, epochs: 300, warmup: 20, learningRate: 1e-3, layerDecay: 1 },
      }),
    },
  },
  baseline: 'beit',
  report: ablationTable({ published: { beit: 'BEiT', peco: 'PeCo' } }),
});
