import { z } from 'zod';
import { constant } from '../../../framework/stage/constant.ts';
import { range } from './fields.ts';

const probability = z.number().min(0).max(1);
const perChannel = (each: z.ZodNumber) => constant(z.tuple([each, each, each]));

const fields = z.strictObject({
  /** That a picture loses a rectangle. BEiT: 0.25. */
  probability: probability.default(0.25),
  /** Its part of the picture. */
  area: range(z.number().positive().max(1)).default([0.02, 1 / 3]),
  /** Height / width. */
  aspect: range(z.number().positive()).default([0.3, 1 / 0.3]),
  /** Of the noise, by channel, of pixels from 0 to 1: what the network normalises with. Here ImageNet's. */
  mean: perChannel(z.number().min(0).max(1)).default([0.485, 0.456, 0.406]),
  /** Standard deviation of the noise, by channel. */
  deviation: perChannel(z.number().nonnegative()).default([0.229, 0.224, 0.225]),
});

/**
 * Random erasing (arXiv 1708.04896) as timm's mode `pixel` (timm/data/random_erasing.py): a rectangle of normal noise, of each
 * pixel and channel alone. A number is the probability.
 *
 * Other than there: the noise is rounded to bytes, and what no pixel can be is clipped: 3 % of it with ImageNet's mean
 * and deviation, and the spread becomes 0.97 of the deviation.
 */
export const erasingSchema = z.union([
  probability.transform((value): z.input<typeof fields> => ({ probability: value })).pipe(fields),
  fields,
]);

export type Erasing = z.output<typeof erasingSchema>;
