import { z } from 'zod';
import { added } from '../../../framework/stage/added.ts';
import type { SmokeChanges, SmokeContext } from '../../../framework/stage/component.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { expectAtMost } from '../../../framework/stage/expect.ts';
import { smokeLabels } from '../../data/smoke.ts';
import { stillViewSchema, viewSchema } from '../../data/views/view.ts';
import {
  checkCheckpoint,
  checkpointSchema,
  countValidation,
  expectValidation,
  smokeCheckpoint,
} from '../../training/checkpoint-config.ts';
import { askForLength, defineRecipe, oneLength, smokeRecipe } from '../../training/recipe.ts';
import { expectClassification } from '../expect.ts';
import { ownInputs } from '../own-data.ts';
import { smokeSeen } from '../smoke.ts';
import { trainedTask } from '../trained-task.ts';
import { costs } from './costs.ts';
import { checkMixing, mixingFields } from './mixing-config.ts';

const recipe = defineRecipe({
  batchSize: 64,
  learningRate: 1e-3,
  minLearningRate: 1e-6,
  warmup: { steps: 30, epochs: 20 },
  weightDecay: 0.05,
  // BEiT: never.
  clipNorm: 1,
});

const schema = z
  .strictObject({
    // BEiT-B's layer decay: 0.65.
    ...trainedTask(recipe, 0.75),
    /**
     * Labelled training images in all: the same number of each class; what is left, one each of the first classes. Absent: all
     * images of the training data.
     */
    labels: z.number().int().positive().optional(),
    /** Share of a label that all classes get alike (Szegedy et al. 2016). BEiT: 0.1. */
    labelSmoothing: z.number().min(0).lt(1).default(0.1),
    ...mixingFields,
    /** What of each image is seen. */
    view: viewSchema.prefault({}),
    /** Of each test image the largest square, or its middle, in size and interpolation of the view. BEiT: share 224 / 256. */
    testView: stillViewSchema.pick({ crop: true }).prefault({}),
    /**
     * Which weights are measured on the test split. BEiT's code prints the best epoch on the split that it measures; here the
     * best are those of a held-out part of the labelled images, the same number of each class.
     */
    checkpoint: added(checkpointSchema.default('last'), { was: 'last' }),
  })
  .check(...oneLength);

export type FineTuneConfig = z.output<typeof schema>;

/**
 * Fine-tuning of the whole backbone for classification, evaluated on the whole test split (BEiT, section 3.1), after the
 * last step unless `checkpoint` says more: BEiT's code prints the best epoch on the split that it measures, so numbers of
 * papers are a little higher.
 *
 * Other than in BEiT unless the config says more: images are only mirrored (BEiT: `view: beitFineTuningView()`) and not mixed
 * (`mixup: 0.8, cutmix: 1`), gradients are clipped (BEiT: not), and the layer decay is 0.75 (BEiT-B: 0.65). Images are mixed
 * with their neighbours in the batch (timm: the first with the last).
 */
export const fineTune = askForLength(
  defineComponent({
    role: 'downstream',
    kind: 'fine-tune',
    schema,
    run: new URL('./stage.ts', import.meta.url).href,
    exports: {
      module: new URL('./export.ts', import.meta.url).href,
      formats: { beit: '.safetensors', timm: '.safetensors', onnx: '.onnx' },
    },
    inputs: ownInputs,
    offers: ['top1', 'top5', 'images', 'trainLoss', 'validation', 'bestStep'],
    derive: recipe.derive,
    check: (config) => {
      const { batchSize, labels } = config;
      const message = `must be at least \`batchSize\`, ${batchSize}`;
      const hint = 'a batch is made of labelled images: lower `batchSize`, or take more labels';
      const tooFew = labels !== undefined && labels < batchSize ? [{ path: ['labels'], message, hint }] : [];
      return [...recipe.check(config), ...tooFew, ...checkMixing(config), ...checkCheckpoint(config)];
    },
    expects: (config, inputs) => [
      ...expectClassification(config, inputs),
      // Fewer labels than that are no config.
      ...(config.labels === undefined
        ? expectAtMost({ path: ['batchSize'], value: config.batchSize }, inputs.train, 'images')
        : []),
      ...expectValidation(config, inputs.train, { images: config.labels, classes: true }),
    ],
    costs,
    smoke: (config, context) => ({ ...smokeTraining(config, context), ...smokeSeen(config, context) }),
  }),
);

/** Few labels, and of them a batch where some are held out. */
function smokeTraining(config: FineTuneConfig, { inputs: { train } }: SmokeContext): SmokeChanges {
  const labels = config.labels === undefined ? undefined : smokeLabels(config.labels, train);
  const images = labels ?? numberOr(train?.smoke.images);
  const checkpoint = smokeCheckpoint(config, { images, classes: numberOr(train?.smoke.classes) });
  const held = checkpoint.checkpoint ? countValidation(checkpoint.checkpoint, images ?? 0) : 0;
  const most = Math.max(2, 2 * Math.floor(((images ?? Number.POSITIVE_INFINITY) - held) / 2));
  return {
    ...smokeRecipe({ ...config, batchSize: Math.min(config.batchSize, most) }),
    ...(labels === undefined ? {} : { labels }),
    ...checkpoint,
  };
}

function numberOr(fact: unknown): number | undefined {
  return typeof fact === 'number' ? fact : undefined;
}
