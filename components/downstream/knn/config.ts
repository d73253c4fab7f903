import { z } from 'zod';
import type { ConfigIssue, WiredInput, WiredInputs } from '../../../framework/stage/component.ts';
import { constant } from '../../../framework/stage/constant.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { expectAtMost, factOf } from '../../../framework/stage/expect.ts';
import { vitSchema } from '../../backbone/config.ts';
import { smokeLabels } from '../../data/smoke.ts';
import { stillViewSchema } from '../../data/views/view.ts';
import { smokeLayer } from '../../nn/smoke.ts';
import { expectClassification } from '../expect.ts';
import { ownData, ownInputs } from '../own-data.ts';
import { costs } from '../probe/costs.ts';
import { smokeSeen } from '../smoke.ts';

const count = z.number().int().positive();

const schema = z.strictObject({
  ...ownData,
  /** Needed only where there is no pretraining: then the features are those of random weights, a control. */
  backbone: vitSchema.optional(),
  /** Features are the mean of the patch tokens after this block, counted from 1. */
  layer: count,
  /** Neighbours that vote. Of several numbers each has a metric, and `top1` is that of the first. DINO: [10, 20, 100, 200]. */
  k: z.union([count, constant(z.array(count).min(1))]).default(20),
  /** The vote of a neighbour is exp(cosine similarity / temperature). */
  temperature: z.number().positive().default(0.07),
  /**
   * Labelled training images in all: the same number of each class; what is left, one each of the first classes. Absent: all
   * images of the training data.
   */
  labels: count.optional(),
  /** What of each image is seen, and at which size. */
  view: stillViewSchema.prefault({}),
});

export type KnnConfig = z.output<typeof schema>;

/**
 * Nearest neighbours among labelled images, by cosine similarity of frozen features (DINO's evaluation; Wu et al. 2018): nothing
 * is trained. DINO takes the class token of the last block; here it is the mean of the patch tokens of any, since masked image
 * modelling doesn't train the class token.
 */
export const knn = defineComponent({
  role: 'downstream',
  kind: 'knn',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  inputs: ownInputs,
  offers: offered,
  check: ({ k, labels }) => [...checkDistinct(k), ...checkLabels(k, labels)],
  expects: (config, inputs) => [
    ...expectClassification(config, inputs),
    ...expectAtMost({ path: ['layer'], value: config.layer }, depthOf(config, inputs), 'depth'),
    ...expectNeighbours(config, inputs.train),
  ],
  costs: (config, inputs) => {
    const features = costs(config, inputs);
    return features && { ...features, parameters: 0 };
  },
  smoke: (config, context) => {
    const { train } = context.inputs;
    const depth = factOf(depthOf(config, context.inputs), 'depth');
    const labels = config.labels === undefined ? undefined : smokeLabels(config.labels, train);
    const images = labels ?? train?.smoke.images;
    const most = typeof images === 'number' ? images : 1;
    const ks = [...new Set([config.k].flat().map((k) => Math.min(k, most)))];
    return {
      ...smokeSeen(config, context),
      ...(labels === undefined ? {} : { labels }),
      ...(depth === undefined ? {} : { layer: smokeLayer(config.layer, depth) }),
      k: typeof config.k === 'number' ? ks[0] : ks,
    };
  },
});

type Metric = 'top1' | 'top5' | 'images' | `top1_k${number}` | `top5_k${number}`;

/** Of several numbers of neighbours each has metrics of its own. */
function offered({ k }: KnnConfig): readonly Metric[] {
  const ks = typeof k === 'number' ? [] : k;
  return ['top1', 'top5', 'images', ...ks.flatMap((each) => [`top1_k${each}`, `top5_k${each}`] as const)];
}

function checkDistinct(k: KnnConfig['k']): ConfigIssue[] {
  const ks = [k].flat();
  const twice = ks.findIndex((each, place) => ks.indexOf(each) < place);
  return twice < 0 ? [] : [{ path: ['k', twice], message: `is ${ks[twice]} again` }];
}

function checkLabels(k: KnnConfig['k'], labels: number | undefined): ConfigIssue[] {
  const most = Math.max(...[k].flat());
  if (labels === undefined || most <= labels) return [];
  return [{ path: ['labels'], message: `must be at least ${most}, the neighbours that vote` }];
}

function expectNeighbours({ k, labels }: KnnConfig, train: WiredInput | undefined) {
  const field = { path: ['k'], value: Math.max(...[k].flat()) };
  return labels === undefined ? expectAtMost(field, train, 'images') : [];
}

/** Of the network whose layers count: the pretrained one, or the config's own where there is none. */
function depthOf({ backbone }: KnnConfig, { pretrained }: WiredInputs): WiredInput | undefined {
  if (pretrained || !backbone) return pretrained;
  return { name: '`backbone`', facts: { depth: backbone.depth } };
}
