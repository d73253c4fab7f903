import { z } from 'zod';
import type { ConfigIssue, WiredInput, WiringIssue } from '../../../framework/stage/component.ts';
import { constant } from '../../../framework/stage/constant.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { factOf } from '../../../framework/stage/expect.ts';
import type { JsonObject } from '../../../framework/stage/json.ts';
import { expectClasses } from '../../data/expect-labels.ts';
import { countHeldOut } from '../../data/held-count.ts';
import { smokeView } from '../../data/smoke.ts';
import { expectSize, seenBy } from '../../data/views/expect.ts';
import { cropSchema, type View, viewSchema } from '../../data/views/view.ts';
import { defineRecipe, notBothLengths, smokeRecipe } from '../../training/recipe.ts';
import { defineVgg16, type Vgg16Input } from '../vgg16/config.ts';
import { vggLayers } from './architecture.ts';
import { vggCosts, vggUse } from './costs.ts';

const count = z.int().positive();
const convs = z.int().min(1).max(4);

const recipe = defineRecipe({
  steps: 300,
  batchSize: 64,
  learningRate: 1e-3,
  warmup: { steps: 20, epochs: 10 },
  weightDecay: 0.05,
});

const contrastSchema = z.strictObject({
  /** What similarities are divided by. SimCLR: 0.1 on ImageNet, 0.5 on CIFAR-10. */
  temperature: z.number().positive().default(0.5),
  /** Length of the vectors that are compared, behind two dense layers. */
  dim: z.int().min(2).default(128),
});

const vggView = viewSchema.extend({ crop: cropSchema.default({ kind: 'shift', distance: 2 }) });

const schema = z
  .strictObject({
    /** Channels of the first stage; VGG16 has 64. */
    width: count.default(32),
    /** Groups of convolutions, each but the first behind a pooling: VGG16 has 5. */
    blocks: z.int().min(1).max(5).default(4),
    /** 3x3 convolutions a block, or one number for each block; VGG16 has 5 blocks of [2, 2, 3, 3, 3]. */
    convsPerBlock: z.union([convs, constant(z.array(convs))]).default(2),
    /**
     * What it learns. `supervised`: the labels of the data. `contrastive`: which two views are of one image (SimCLR, Chen et
     * al. 2020). `rotations`: by how many quarter turns an image was rotated (Gidaris et al. 2018). The last two read no
     * label, as PeCo's own network, MoCo v3's, does not.
     */
    objective: z.enum(['supervised', 'contrastive', 'rotations']).default('supervised'),
    /** Of the contrastive loss; with another objective it is an error. */
    contrast: contrastSchema.optional(),
    ...recipe.fields,
    /** Absent, as `epochs` is: 300. 0: the untrained network, as a control that has seen no labels. */
    steps: z.int().nonnegative().optional(),
    /** Share of a label that all classes get alike. */
    labelSmoothing: z.number().min(0).lt(1).default(0),
    /**
     * What of each image is seen; unless said, it is moved by up to 2 pixels, and with the objective `contrastive` it is a
     * random part of 20 to 100 % of its area with jittered colours, twice.
     */
    view: vggView.optional(),
    /** Share of the training data that is kept back to measure accuracy on. The test split is never seen. */
    holdOut: z.number().gt(0).lt(1).default(0.1),
    /** Absent: one network is trained for each seed of its tokenizer. A number: one by this seed, and all of them share it. */
    seed: z.int().nonnegative().optional(),
  })
  .check(notBothLengths());

type Parsed = z.output<typeof schema>;

/** As a stage sees it: with the view that its objective has where none is given. */
export type VggConfig = Parsed & { readonly view: View };

const trained = defineComponent({
  role: 'network',
  kind: 'vgg',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  load: new URL('./load.ts', import.meta.url).href,
  offers: vggLayers,
  derive: (config) => ({ ...recipe.derive(config), ...(deriveObjective(config) as unknown as JsonObject) }),
  check: (config) => [...checkBlocks(config), ...checkObjective(config), ...recipe.check(config)],
  smoke: (config) => ({
    ...smokeRecipe(config),
    width: Math.min(config.width, 8),
    view: smokeView(viewOf(config)),
  }),
  costs: (config, { train }) =>
    vggCosts(config, { size: seenSize(config, train), ...countsOf(config, train) }),
  use: (config, size) => vggUse(config, size),
  expects: (config, { train }) => [
    ...expectSize(viewOf(config), train),
    ...expectRoom(config, seenBy(viewOf(config), train)),
    ...expectBatch(config, train),
    ...(config.objective === 'supervised' && config.steps !== 0 ? expectClasses(train, ['objective']) : []),
  ],
});

const vgg16 = defineVgg16(Object.keys(schema.shape));

type TrainedInput = Parameters<typeof trained>[0];
type VggNetwork = ReturnType<typeof trained>;

/**
 * A VGG-style network as a perceptual network, trained on the training data as `objective` says; with `steps: 0` it keeps
 * its random weights. With `weights` it is VGG16 as torchvision has it, and nothing is trained.
 */
export function vgg(input: Vgg16Input): VggNetwork;
export function vgg(input?: TrainedInput): VggNetwork;
export function vgg(input: TrainedInput | Vgg16Input = {}): VggNetwork {
  // Whatever it is: what is wrong with it is for the schemas to say.
  if (typeof input !== 'object' || input === null || !('weights' in input))
    return trained(input as TrainedInput);
  const { weights, ...rest } = input;
  return weights === undefined ? trained(rest) : vgg16(input);
}

/** Defaults that depend on the objective. */
function deriveObjective({ objective }: Parsed) {
  if (objective !== 'contrastive') return { view: vggView.parse({}) };
  const view = { crop: { kind: 'random-resized', scale: [0.2, 1] }, jitter: 0.4 };
  return { view: vggView.parse(view), contrast: contrastSchema.parse({}) };
}

function viewOf(config: Parsed): View {
  return config.view ?? deriveObjective(config).view;
}

/** What doesn't go with the objective. */
function checkObjective({ objective, contrast, view, microBatch, batchSize }: Parsed): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  if (objective !== 'contrastive') {
    const hint = "leave it out, or give `objective: 'contrastive'`";
    const message = `is nothing to the objective ${objective}`;
    return contrast === undefined ? [] : [{ path: ['contrast'], message, hint }];
  }
  if (view !== undefined && view.crop.kind !== 'random-resized') {
    const hint = "it compares two random parts of each image: `view: { crop: { kind: 'random-resized' } }`";
    const message = `must be random-resized with the objective contrastive`;
    issues.push({ path: ['view', 'crop', 'kind'], message, hint });
  }
  if (microBatch !== undefined && microBatch !== batchSize) {
    const hint =
      'the loss compares all images of a batch with each other: take a smaller `batchSize` instead';
    const message = 'does not go with the objective contrastive';
    issues.push({ path: ['microBatch'], message, hint });
  }
  if (batchSize < 2) issues.push({ path: ['batchSize'], message: 'must be at least 2: images are compared' });
  return issues;
}

/** Pixels a side as the training sees them. */
function seenSize(config: Parsed, train: WiredInput | undefined): number | undefined {
  return factOf(seenBy(viewOf(config), train), 'size');
}

/** What it learns from: images that aren't held out, and their classes. */
function countsOf({ holdOut, objective }: Parsed, train: WiredInput | undefined) {
  const images = factOf(train, 'images');
  const classes = objective === 'rotations' ? 4 : factOf(train, 'classes');
  return { images: images === undefined ? undefined : images - countHeldOut(images, holdOut), classes };
}

function checkBlocks({ blocks, convsPerBlock }: Parsed): ConfigIssue[] {
  if (typeof convsPerBlock === 'number' || convsPerBlock.length === blocks) return [];
  const message = `has ${convsPerBlock.length} numbers for ${blocks} blocks`;
  return [{ path: ['convsPerBlock'], message, hint: 'give one number for all blocks, or one for each' }];
}

/** Each block but the first halves the image. */
function expectRoom({ blocks }: Parsed, train: WiredInput | undefined): WiringIssue[] {
  const size = factOf(train, 'size');
  if (size === undefined || size >= 2 ** (blocks - 1)) return [];
  const most = Math.floor(Math.log2(size)) + 1;
  const hint = `each block after the first halves the ${size} pixels of ${train!.name}`;
  return [{ path: ['blocks'], message: `expected at most ${most}`, hint }];
}

/** It learns from the images that aren't held out: at least a batch of them. */
function expectBatch({ batchSize, holdOut, steps }: Parsed, train: WiredInput | undefined): WiringIssue[] {
  const images = factOf(train, 'images');
  if (images === undefined || steps === 0) return [];
  const learnt = images - countHeldOut(images, holdOut);
  if (batchSize <= learnt) return [];
  if (learnt === 0) {
    const message = `keeps back all ${images} images of ${train!.name}`;
    return [{ path: ['holdOut'], message, hint: 'lower it, or take more images' }];
  }
  const hint = `of the ${images} images of ${train!.name}, ${images - learnt} are held out (\`holdOut\`)`;
  return [{ path: ['batchSize'], message: `expected at most ${learnt}`, hint }];
}
