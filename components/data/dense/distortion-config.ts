import { z } from 'zod';
import { range } from '../views/fields.ts';

const factor = z.number().nonnegative();

/**
 * mmsegmentation's PhotoMetricDistortion: each of four changes happens with probability one half. Absent fields are its
 * defaults; a range from 1 to 1, or 0, leaves a change out.
 */
export const distortionSchema = z.strictObject({
  /** From -x to x is added to each byte. */
  brightness: z.number().nonnegative().max(255).default(32),
  /** Factors of each byte. */
  contrast: range(factor).default([0.5, 1.5]),
  /** Factors of the saturation. */
  saturation: range(factor).default([0.5, 1.5]),
  /** The hue is turned by whole numbers from -x to below x, of 180 that are a turn. */
  hue: z.int().nonnegative().max(90).default(18),
});

export type Distortion = z.output<typeof distortionSchema>;
