import { z } from 'zod';

const reach = z.number().nonnegative();

const ranges = z.strictObject({
  /** Factors are drawn from 1 - x to 1 + x, from 0 at least; 0: never changed. */
  brightness: reach.default(0),
  /** The same. */
  contrast: reach.default(0),
  /** The same. */
  saturation: reach.default(0),
  /** The hue is turned by -x to x, where 1 is a whole turn. */
  hue: reach.max(0.5).default(0),
});

/**
 * torchvision's ColorJitter of a PIL image, to the byte: the changes in random order. A number is that of brightness,
 * contrast and saturation: BEiT's pretraining has 0.4 (microsoft/unilm, beit/datasets.py).
 */
export const jitterSchema = z.union([
  reach.transform((x) => ({ brightness: x, contrast: x, saturation: x, hue: 0 })),
  ranges,
]);

export type Jitter = z.output<typeof jitterSchema>;
