import { z } from 'zod';
import type {
  SmokeChanges,
  SmokeContext,
  WiredInputs,
  WiringIssue,
} from '../../../framework/stage/component.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { expectAlike, expectAtMost, factOf } from '../../../framework/stage/expect.ts';
import { backboneOf } from '../../backbone/costs.ts';
import { layersField } from '../../backbone/pyramid-config.ts';
import { expectSegmentationView } from '../../data/dense/expect.ts';
import { segmentationViewSchema, stillSegmentationViewSchema } from '../../data/dense/segmentation-view.ts';
import { expectTarget } from '../../data/expect-target.ts';
import { smokeDenseView } from '../../data/smoke.ts';
import { seenBy } from '../../data/views/expect.ts';
import { smokeLayer } from '../../nn/smoke.ts';
import {
  checkCheckpoint,
  checkpointSchema,
  expectValidation,
  smokeCheckpoint,
} from '../../training/checkpoint-config.ts';
import {
  askForLength,
  checkRecipe,
  defineRecipe,
  oneLength,
  schedule,
  smokeRecipe,
} from '../../training/recipe.ts';
import { expectBackbone, expectSameClasses } from '../expect.ts';
import { ownInputs } from '../own-data.ts';
import { smokeSeen } from '../smoke.ts';
import { trainedTask } from '../trained-task.ts';
import { costs } from './costs.ts';

const recipe = defineRecipe({
  batchSize: 16,
  learningRate: 7e-4,
  warmup: { steps: 1500, epochs: 1 },
  weightDecay: 0.05,
});

const count = z.int().positive();

const schema = z
  .strictObject({
    ...trainedTask(recipe, 0.65),
    layers: layersField,
    /** Of the decoder. Absent: as many as the backbone's, as BEiT has it; mmsegmentation's default is 512. */
    channels: count.optional(),
    /** The head that trains the blocks in the middle, by its loss times `weight`; 0: there is none. */
    auxiliary: z
      .strictObject({
        /** Of its convolution. */
        channels: count.default(256),
        /** Of its loss, beside the decoder's. */
        weight: z.number().nonnegative().default(0.4),
      })
      .prefault({}),
    /** Probability that a channel is left out in front of the layer that classifies. */
    dropout: z.number().min(0).lt(1).default(0.1),
    schedule: schedule({ kind: 'poly', power: 1, warmupFrom: 1e-6 }),
    /** What of each image and its label map is seen. */
    view: segmentationViewSchema.prefault({}),
    /** How test images are seen: by windows of the size of the view. */
    testView: stillSegmentationViewSchema
      .extend({
        /** Pixels from one window to the next. Absent: two thirds of a window, 341 of 512. */
        stride: count.optional(),
        /** Whether mirror images are looked at too, and probabilities averaged. */
        flip: z.boolean().default(false),
      })
      .prefault({}),
    /** Which weights are measured on the test split: the last, or those with the best mIoU on held-out training images. */
    checkpoint: checkpointSchema.default('last'),
  })
  .check(...oneLength);

export type UperNetConfig = z.output<typeof schema>;

/**
 * Semantic segmentation by UperNet on the whole backbone (arXiv 1807.10221), as BEiT has it (microsoft/unilm,
 * beit/semantic_segmentation, `upernet_beit_base_12_512_slide_160k_ade20k_pt.py`), measured as mmsegmentation measures.
 *
 * The defaults are BEiT-B's for weights that were pretrained without labels: rate 7e-4, layer decay 0.65, 16 images a step. For
 * weights that were fine-tuned on classes before, BEiT has 3e-5 and 0.9. Its training is `steps: 160_000` of pictures of
 * `view: { size: 512 }`; its multi-scale test `testView: { scales: [0.5, 0.75, 1, 1.25, 1.5, 1.75], flip: true }`, where no
 * picture is smaller than a window.
 *
 * Statistics of batch norms are those of a micro-batch, where mmsegmentation's are those of all GPUs, 16 images.
 */
export const upernet = askForLength(
  defineComponent({
    role: 'downstream',
    kind: 'upernet',
    schema,
    run: new URL('./stage.ts', import.meta.url).href,
    inputs: ownInputs,
    offers: ['mIoU', 'mAcc', 'aAcc', 'images', 'trainLoss', 'validation', 'bestStep'],
    derive: recipe.derive,
    check: (config) => [...checkRecipe(config), ...checkNorms(config), ...checkCheckpoint(config)],
    expects: (config, inputs) => [
      ...expectTarget('label map', inputs.train),
      ...expectTarget('label map', inputs.test),
      ...expectSegmentationView(config.view, inputs.train),
      ...expectAlike('test', inputs, 'train', ['classes']),
      ...expectSameClasses(inputs),
      ...expectBackbone(config, inputs),
      ...expectMaps(config, inputs),
      ...expectWindows(config, inputs),
      ...expectAtMost({ path: ['batchSize'], value: config.batchSize }, inputs.train, 'images'),
      ...expectValidation(config, inputs.train, {}),
    ],
    costs,
    smoke,
  }),
);

/** The coarsest pool is a single place an image: its norm needs more than one image. */
function checkNorms({ batchSize, microBatch }: UperNetConfig) {
  const field = microBatch === undefined ? 'batchSize' : 'microBatch';
  if ((microBatch ?? batchSize) > 1) return [];
  const hint = 'batch norms of the decoder compare images: give at least 2';
  return [{ path: [field], message: 'must be more than 1', hint }];
}

/** That there are the blocks whose maps are asked for, and maps that can be halved. */
function expectMaps(config: UperNetConfig, inputs: WiredInputs): WiringIssue[] {
  const backbone = backboneOf(config.backbone, inputs.pretrained);
  if (!backbone) return [];
  const own = { name: inputs.pretrained?.name ?? '`backbone`', facts: { depth: backbone.depth } };
  const layers = (config.layers ?? []).flatMap((value, place) =>
    expectAtMost({ path: ['layers', place], value }, own, 'depth'),
  );
  const size = factOf(seenBy(config.view, inputs.train), 'size');
  if (size === undefined || size >= 2 * backbone.patch) return layers;
  const hint = `patches have ${backbone.patch} pixels, and the coarsest map is of 2 x 2 of them`;
  return [...layers, { path: ['view', 'size'], message: `expected at least ${2 * backbone.patch}`, hint }];
}

/** That windows of a test leave no pixel out. */
function expectWindows({ view, testView: { stride } }: UperNetConfig, { train }: WiredInputs): WiringIssue[] {
  if (stride === undefined) return [];
  const hint = 'windows that are farther apart than they are wide leave pixels out';
  return expectAtMost({ path: ['testView', 'stride'], value: stride }, seenBy(view, train), 'size', hint);
}

/** Few channels, and pictures of the pretraining's smoke run, each of them at no more than two scales. */
function smoke(config: UperNetConfig, context: SmokeContext): SmokeChanges {
  const { train, pretrained } = context.inputs;
  const depth = backboneOf(config.backbone, pretrained)?.depth;
  const { view, ...seen } = smokeSeen(config, context) as { readonly view: { readonly size?: number } };
  const real = config.view.size ?? factOf(train, 'size');
  const small = view.size ?? numberOr(train?.smoke.size);
  const sizes = real === undefined || small === undefined ? undefined : { real, smoke: small };
  const { scales, stride } = config.testView;
  const few = (channels: number) => Math.min(channels, 16);
  return {
    ...smokeRecipe(config),
    ...seen,
    ...(config.layers && depth !== undefined
      ? { layers: config.layers.map((layer) => smokeLayer(layer, depth)) }
      : {}),
    channels: few(config.channels ?? 16),
    auxiliary: { channels: few(config.auxiliary.channels) },
    view: { ...view, ...(sizes ? smokeDenseView(config.view, sizes) : {}) },
    testView: {
      ...(sizes ? smokeDenseView(config.testView, sizes) : {}),
      ...(sizes && stride ? { stride: Math.max(1, Math.floor((stride * sizes.smoke) / sizes.real)) } : {}),
      scales: scales.slice(0, 2),
    },
    ...smokeCheckpoint(config, { images: numberOr(train?.smoke.images) }),
  };
}

function numberOr(fact: unknown): number | undefined {
  return typeof fact === 'number' ? fact : undefined;
}
