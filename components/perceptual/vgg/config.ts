import { z } from 'zod';
import type { ConfigIssue, WiredInput, WiringIssue } from '../../../framework/stage/component.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { factOf } from '../../../framework/stage/expect.ts';
import { expectClasses } from '../../data/expect-labels.ts';
import { smokeView } from '../../data/smoke.ts';
import { expectSize, seenBy } from '../../data/views/expect.ts';
import { cropSchema, viewSchema } from '../../data/views/view.ts';
import { defineRecipe, notBothLengths, smokeRecipe } from '../../training/recipe.ts';
import { defineVgg16, type Vgg16Input } from '../vgg16/config.ts';
import { vggLayers } from './architecture.ts';
import { vggUse } from './costs.ts';
import { countHeldOut } from './hold-out.ts';

const count = z.int().positive();
const convs = z.int().min(1).max(4);

const recipe = defineRecipe({
  steps: 300,
  batchSize: 64,
  learningRate: 1e-3,
  warmup: { steps: 20, epochs: 10 },
  weightDecay: 0.05,
});

const schema = z
  .strictObject({
    /** Channels of the first stage; VGG16 has 64. */
    width: count.default(32),
    blocks: z.int().min(1).max(5).default(4),
    /** 3x3 convolutions a block, or one number for each block; VGG16 has 5 blocks of [2, 2, 3, 3, 3]. */
    convsPerBlock: z.union([convs, z.array(convs).readonly()]).default(2),
    /**
     * Where its answers come from: the labels of the data, or by how many quarter turns each image was rotated (Gidaris et
     * al. 2018), which needs no labels. PeCo's network is self-supervised, too (MoCo v3).
     */
    supervision: z.enum(['labels', 'rotations']).default('labels'),
    ...recipe.fields,
    /** Absent, as `epochs` is: 300. 0: the untrained network, as a control that has seen no labels. */
    steps: z.int().nonnegative().optional(),
    labelSmoothing: z.number().min(0).lt(1).default(0),
    /** What of each image is seen; unless said, it is moved by up to 2 pixels. */
    view: viewSchema.extend({ crop: cropSchema.default({ kind: 'shift', distance: 2 }) }).prefault({}),
    /** Share of the training data that is kept back to measure accuracy on. The test split is never seen. */
    holdOut: z.number().gt(0).lt(1).default(0.1),
    /** Absent: one network is trained for each seed of its tokenizer. A number: one by this seed, and all of them share it. */
    seed: z.int().nonnegative().optional(),
  })
  .check(notBothLengths());

export type VggConfig = z.output<typeof schema>;

const trained = defineComponent({
  role: 'network',
  kind: 'vgg',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  load: new URL('./load.ts', import.meta.url).href,
  offers: vggLayers,
  derive: recipe.derive,
  check: (config) => [...checkBlocks(config), ...recipe.check(config)],
  smoke: (config) => ({
    ...smokeRecipe(config),
    width: Math.min(config.width, 8),
    view: smokeView(config.view),
  }),
  use: (config, size) => vggUse(config, size),
  expects: (config, { train }) => [
    ...expectSize(config.view, train),
    ...expectRoom(config, seenBy(config.view, train)),
    ...expectBatch(config, train),
    ...(config.supervision === 'labels' && config.steps !== 0 ? expectClasses(train, ['supervision']) : []),
  ],
});

const vgg16 = defineVgg16(Object.keys(schema.shape));

type TrainedInput = Parameters<typeof trained>[0];
type VggNetwork = ReturnType<typeof trained>;

/**
 * A VGG-style network as a perceptual network, trained as a classifier on the labels of the training data; with
 * `steps: 0` it keeps its random weights. With `weights` it is VGG16 as torchvision has it, and nothing is trained.
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

function checkBlocks({ blocks, convsPerBlock }: VggConfig): ConfigIssue[] {
  if (typeof convsPerBlock === 'number' || convsPerBlock.length === blocks) return [];
  const message = `has ${convsPerBlock.length} numbers for ${blocks} blocks`;
  return [{ path: ['convsPerBlock'], message, hint: 'give one number for all blocks, or one for each' }];
}

/** Each block but the first halves the image. */
function expectRoom({ blocks }: VggConfig, train: WiredInput | undefined): WiringIssue[] {
  const size = factOf(train, 'size');
  if (size === undefined || size >= 2 ** (blocks - 1)) return [];
  const most = Math.floor(Math.log2(size)) + 1;
  const hint = `each block after the first halves the ${size} pixels of ${train!.name}`;
  return [{ path: ['blocks'], message: `expected at most ${most}`, hint }];
}

/** It learns from the images that aren't held out: at least a batch of them. */
function expectBatch({ batchSize, holdOut, steps }: VggConfig, train: WiredInput | undefined): WiringIssue[] {
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
