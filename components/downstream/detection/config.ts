import { z } from 'zod';
import type {
  ConfigIssue,
  SmokeChanges,
  SmokeContext,
  WiredInputs,
  WiringIssue,
} from '../../../framework/stage/component.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { expectAlike, expectAtMost, factOf } from '../../../framework/stage/expect.ts';
import { layersField } from '../../backbone/pyramid-config.ts';
import { detectionViewSchema, stillDetectionViewSchema } from '../../data/dense/detection-view.ts';
import { expectDetectionView } from '../../data/dense/expect.ts';
import { expectMasks, expectObjects, expectTarget } from '../../data/expect-target.ts';
import { smokeDenseView } from '../../data/smoke.ts';
import { smokeDepth, smokeLayer } from '../../nn/smoke.ts';
import {
  checkCheckpoint,
  checkpointSchema,
  expectValidation,
  smokeCheckpoint,
} from '../../training/checkpoint-config.ts';
import { askForLength, defineRecipe, oneLength, schedule, smokeRecipe } from '../../training/recipe.ts';
import { expectBackbone, expectSameClasses } from '../expect.ts';
import { ownInputs } from '../own-data.ts';
import { smokeSeen } from '../smoke.ts';
import { trainedTask } from '../trained-task.ts';
import type { CocoNumbers } from './coco-eval/summary.ts';
import { costs } from './costs.ts';
import { maskRcnnModelFields } from './model/config.ts';

const recipe = defineRecipe({
  batchSize: 16,
  learningRate: 3e-4,
  // detectron2: 1,000 steps of 90,000.
  warmup: { steps: 1000, epochs: 0.5 },
  weightDecay: 0.05,
});

const schema = z
  .strictObject({
    ...trainedTask(recipe, 0.75),
    layers: layersField,
    ...maskRcnnModelFields,
    /** The 1x schedule of 12 epochs: a tenth after 8, a hundredth after 11. */
    schedule: schedule({ kind: 'steps', at: [8 / 12, 11 / 12], factor: 0.1, warmupFrom: 1e-3 }),
    /** What of each image is seen. */
    view: detectionViewSchema.prefault({}),
    /** How large test images are; they lie in the same canvas as those of the training. Papers: 800, at most 1,333. */
    testView: stillDetectionViewSchema.pick({ shorter: true, longer: true }).prefault({}),
    /** Which weights are measured on the test split: the best are those with the best mean of box AP and mask AP. */
    checkpoint: checkpointSchema.default('last'),
  })
  .check(...oneLength);

export type MaskRcnnConfig = z.output<typeof schema>;

const cocoNumbers = [
  ...(['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl'] as const),
  ...(['AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl'] as const),
] satisfies readonly (keyof CocoNumbers)[];

const metrics = [
  ...cocoNumbers.flatMap((name) => [`box${name}`, `mask${name}`] as const),
  ...(['images', 'trainLoss', 'validation', 'bestStep'] as const),
];

/**
 * Mask R-CNN on the backbone, measured on the whole test split by COCO's AP of boxes and masks. The recipe is that of the papers
 * that compare pretrainings: AdamW, batches of 16, layer decay, and the 1x schedule with `epochs: 12`.
 *
 * Whether images without objects are learnt from is for the data to say; detectron2 leaves them out, as `coco` does unless it
 * says otherwise.
 */
export const maskRcnn = askForLength(
  defineComponent({
    role: 'downstream',
    kind: 'mask-rcnn',
    schema,
    run: new URL('./stage.ts', import.meta.url).href,
    inputs: ownInputs,
    offers: metrics,
    derive: recipe.derive,
    check: (config) => [...recipe.check(config), ...checkCheckpoint(config), ...checkLayers(config)],
    expects: (config, inputs) => [
      ...expectTarget('instances', inputs.train),
      ...expectTarget('instances', inputs.test),
      ...expectMasks(inputs.train),
      ...expectMasks(inputs.test),
      ...expectObjects(inputs.train, 'learnt'),
      ...expectObjects(inputs.test, 'found'),
      ...expectDetectionView(config.view, inputs.train, config.testView),
      ...expectAlike('test', inputs, 'train', [
        ...(config.view.size === undefined ? ['size'] : []),
        'channels',
        'classes',
      ]),
      ...expectSameClasses(inputs),
      ...expectBackbone(config, inputs),
      ...expectEvenPatches(config, inputs),
      ...expectAtMost({ path: ['batchSize'], value: config.batchSize }, inputs.train, 'images'),
      ...expectValidation(config, inputs.train, {}),
    ],
    costs,
    smoke: smokeOf,
  }),
);

function checkLayers({ layers, backbone }: MaskRcnnConfig): ConfigIssue[] {
  const wrong = layers?.findIndex((layer) => layer > (backbone?.depth ?? layer)) ?? -1;
  if (wrong < 0) return [];
  return [
    { path: ['layers', wrong], message: `must be at most the depth of the backbone, ${backbone!.depth}` },
  ];
}

/** The levels of the pyramid fit onto each other only then. */
function expectEvenPatches(
  { view, backbone }: MaskRcnnConfig,
  { train, pretrained }: WiredInputs,
): WiringIssue[] {
  const size = view.size ?? factOf(train, 'size');
  const patch = pretrained ? factOf(pretrained, 'patch') : backbone?.patch;
  if (size === undefined || patch === undefined || size % patch !== 0 || (size / patch) % 2 === 0) return [];
  const hint = `the feature pyramid halves the ${size / patch} patches of ${patch} pixels a side: take an even number`;
  return [{ path: ['view', 'size'], message: `expected a multiple of ${2 * patch}, not ${size}`, hint }];
}

/** Every part at its smallest; the canvas as large as other tasks' pictures. */
function smokeOf(config: MaskRcnnConfig, context: SmokeContext): SmokeChanges {
  const { train, pretrained } = context.inputs;
  const { view: smaller, ...seen } = smokeSeen(config, context) as { view: { size?: number } };
  const sizes = {
    real: config.view.size ?? factOf(train, 'size') ?? 1,
    smoke: smaller.size ?? numberOr(train?.smoke.size) ?? 1,
  };
  const depth = config.backbone?.depth ?? factOf(pretrained, 'depth') ?? smokeDepth;
  const few = (count: number): number => Math.min(count, 32);
  const each = ({ train: learnt, test }: { train: number; test: number }) => {
    return { train: few(learnt), test: few(test) };
  };
  return {
    ...seen,
    ...smokeRecipe(config),
    ...smokeCheckpoint(config, { images: numberOr(train?.smoke.images) }),
    view: smokeDenseView(config.view, sizes),
    testView: smokeDenseView(config.testView, sizes),
    ...(config.layers && { layers: config.layers.map((layer) => smokeLayer(layer, depth)) }),
    fpnChannels: few(config.fpnChannels),
    rpn: { before: each(config.rpn.before), after: each(config.rpn.after), samples: few(config.rpn.samples) },
    boxHead: { width: few(config.boxHead.width), samples: few(config.boxHead.samples) },
    maskHead: { channels: few(config.maskHead.channels) },
    detections: { most: few(config.detections.most) },
  };
}

function numberOr(fact: unknown): number | undefined {
  return typeof fact === 'number' ? fact : undefined;
}
