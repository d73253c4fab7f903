import { z } from 'zod';
import type {
  ConfigIssue,
  SmokeChanges,
  WiredInput,
  WiredInputs,
} from '../../../framework/stage/component.ts';
import { constant } from '../../../framework/stage/constant.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { expectAtMost, factOf } from '../../../framework/stage/expect.ts';
import { vitSchema } from '../../backbone/config.ts';
import { smokeLabels } from '../../data/smoke.ts';
import { stillViewSchema } from '../../data/views/view.ts';
import { smokeLayer } from '../../nn/smoke.ts';
import { linearFields, smokeLinear } from '../../training/linear-config.ts';
import { expectClassification } from '../expect.ts';
import { ownData, ownInputs } from '../own-data.ts';
import { smokeSeen } from '../smoke.ts';
import { costs } from './costs.ts';

const layer = z.number().int().positive();

const schema = z.strictObject({
  ...ownData,
  /** Needed only where there is no pretraining: then the features are those of random weights, a control. */
  backbone: vitSchema.optional(),
  /** Features are the mean of the patch tokens after this block, counted from 1. Give this or `layers`. */
  layer: layer.optional(),
  /**
   * Several blocks, or all, from one look at the images: the top-1 of each, and as `top1` that of the best one on a class-balanced
   * part of the labelled images, which is held out: a fifth, of minibatches a tenth.
   */
  layers: z.union([z.literal('all'), constant(z.array(layer).min(1))]).optional(),
  /**
   * Labelled training images in all: the same number of each class; what is left, one each of the first classes. Absent: all
   * images of the training data.
   */
  labels: z.number().int().positive().optional(),
  /** What of each image is seen, and at which size. */
  view: stillViewSchema.prefault({}),
  ...linearFields,
});

export type LinearProbeConfig = z.output<typeof schema>;

/**
 * A linear classifier on frozen features of an inner layer (BEiT, section 3.2), evaluated on the whole test split. BEiT's
 * code takes the class token beside the mean of the patches; here it is the mean, as in its paper, standardised.
 */
export const linearProbe = defineComponent({
  role: 'downstream',
  kind: 'linear-probe',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  inputs: ownInputs,
  offers: offered,
  check: checkLayers,
  expects: (config, inputs) => [
    ...expectClassification(config, inputs),
    ...fieldsOf(config).flatMap((field) => expectAtMost(field, depthOf(config, inputs), 'depth')),
  ],
  costs,
  smoke: (config, context) => {
    const { train } = context.inputs;
    const depth = factOf(depthOf(config, context.inputs), 'depth');
    const labels = config.labels ?? factOf(train, 'images');
    return {
      ...smokeLinear(config, labels, factOf(train, 'classes')),
      ...smokeSeen(config, context),
      ...(config.labels === undefined ? {} : { labels: smokeLabels(config.labels, train) }),
      ...(depth === undefined ? {} : smokeLayers(config, depth)),
    };
  },
});

type Metric = (typeof always)[number] | `top1_layer${number}`;

const always = [
  ...(['top1', 'images', 'loss', 'l2', 'gradientNorm', 'iterations', 'converged'] as const),
  ...(['layer', 'validation'] as const),
] as const;

/** Of several layers each has a `top1` of its own. How many `all` are only the network knows. */
function offered({ layers }: LinearProbeConfig): readonly Metric[] {
  const listed = layers === undefined || layers === 'all' ? [] : layers;
  return [...always, ...listed.map((layer) => `top1_layer${layer}` as const)];
}

/** One of the two fields, and no layer twice. */
function checkLayers({ layer, layers }: LinearProbeConfig): ConfigIssue[] {
  if (layer === undefined && layers === undefined)
    return [{ path: ['layer'], message: 'is missing', hint: 'give `layer`, or `layers`, which may be all' }];
  if (layer !== undefined && layers !== undefined)
    return [{ path: ['layers'], message: 'is given beside `layer`: give one of them' }];
  if (layers === undefined || layers === 'all') return [];
  const twice = layers.findIndex((each, place) => layers.indexOf(each) < place);
  return twice < 0 ? [] : [{ path: ['layers', twice], message: `is layer ${layers[twice]} again` }];
}

function fieldsOf({ layer, layers }: LinearProbeConfig): { path: (string | number)[]; value: number }[] {
  if (layer !== undefined) return [{ path: ['layer'], value: layer }];
  if (layers === undefined || layers === 'all') return [];
  return layers.map((value, place) => ({ path: ['layers', place], value }));
}

function smokeLayers({ layer, layers }: LinearProbeConfig, depth: number): SmokeChanges {
  if (layer !== undefined) return { layer: smokeLayer(layer, depth) };
  if (layers === undefined || layers === 'all') return {};
  return { layers: [...new Set(layers.map((each) => smokeLayer(each, depth)))] };
}

/** Of the network whose layers count: the pretrained one, or the config's own where there is none. */
function depthOf({ backbone }: LinearProbeConfig, { pretrained }: WiredInputs): WiredInput | undefined {
  if (pretrained || !backbone) return pretrained;
  return { name: '`backbone`', facts: { depth: backbone.depth } };
}
