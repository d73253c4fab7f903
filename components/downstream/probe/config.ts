import { z } from 'zod';
import { defineComponent } from '../../../framework/stage/define.ts';
import { vitSchema } from '../../backbone/config.ts';
import { linearFields } from '../../training/linear-config.ts';

const schema = z.strictObject({
  /** Needed only where there is no pretraining: then the features are those of random weights, a control. */
  backbone: vitSchema.optional(),
  /** Features are the mean of the patch tokens after this block, counted from 1. */
  layer: z.number().int().positive(),
  /** Labelled training images in all, the same number of each class. */
  labels: z.number().int().positive(),
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
  expects: ({ labels, layer }) => [
    { input: 'train', fact: 'images', value: labels, is: 'at least', field: ['labels'] },
    { input: 'pretrained', fact: 'depth', value: layer, is: 'at least', field: ['layer'] },
  ],
});
