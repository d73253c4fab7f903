import { z } from 'zod';
import type { WiredInput, WiredInputs } from '../../../framework/stage/component.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { expectAtMost, factOf } from '../../../framework/stage/expect.ts';
import { vitSchema } from '../../backbone/config.ts';
import { smokeLabels } from '../../data/smoke.ts';
import { stillViewSchema } from '../../data/views/view.ts';
import { smokeLayer } from '../../nn/smoke.ts';
import { linearFields, smokeLinear } from '../../training/linear-config.ts';
import { expectClassification } from '../expect.ts';
import { smokeSeen } from '../smoke.ts';
import { costs } from './costs.ts';

const schema = z.strictObject({
  /** Needed only where there is no pretraining: then the features are those of random weights, a control. */
  backbone: vitSchema.optional(),
  /** Features are the mean of the patch tokens after this block, counted from 1. */
  layer: z.number().int().positive(),
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
  expects: (config, inputs) => [
    ...expectClassification(config, inputs),
    ...expectAtMost({ path: ['layer'], value: config.layer }, depthOf(config, inputs), 'depth'),
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
      ...(depth === undefined ? {} : { layer: smokeLayer(config.layer, depth) }),
    };
  },
});

/** Of the network whose layers count: the pretrained one, or the config's own where there is none. */
function depthOf({ backbone }: LinearProbeConfig, { pretrained }: WiredInputs): WiredInput | undefined {
  if (pretrained || !backbone) return pretrained;
  return { name: '`backbone`', facts: { depth: backbone.depth } };
}
