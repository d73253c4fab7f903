import { z } from 'zod';
import { constant } from '../../../../framework/stage/constant.ts';

const byte = z.int().min(0).max(255);

const fields = z.strictObject({
  /** How strong changes are: of 10. */
  magnitude: z.number().min(0).max(10).default(9),
  /** Standard deviation of the magnitude, which is drawn for each change and kept from 0 to 10. */
  deviation: z.number().nonnegative().default(0.5),
  /** Changes that are drawn for each image, the same one twice included. */
  layers: z.int().positive().default(2),
  /** That a change which was drawn is made. */
  probability: z.number().min(0).max(1).default(0.5),
  /** Whether all changes grow with the magnitude: in the first RandAugment some, as the bits that posterising leaves, shrink. */
  increasing: z.boolean().default(true),
  /** What moves in from outside the image: red, green, blue. BEiT: the mean that it normalises with, here ImageNet's. */
  fill: constant(z.tuple([byte, byte, byte])).default([124, 116, 104]),
  /** Of rotations, shears and translations. BEiT: bicubic. */
  interpolation: z.enum(['bilinear', 'bicubic']).default('bicubic'),
});

/** `m9`, `mstd0.5`, `n2`, `p0.5`, `inc1`. */
const PART = /^(m|mstd|n|p|inc)(\d+(?:\.\d+)?)$/;

const text = z
  .string()
  .regex(/^rand(-(m|mstd|p)\d+(\.\d+)?|-n\d+|-inc[01])*$/, {
    error:
      "expected timm's words for it, as 'rand-m9-mstd0.5-inc1': m, mstd, n, p and inc, each with a number",
  })
  .transform((words): z.input<typeof fields> => {
    const parts = new Map(
      words.split('-').flatMap((part) => {
        const [, name, value] = PART.exec(part) ?? [];
        return name ? [[name, Number(value)]] : [];
      }),
    );
    return {
      magnitude: parts.get('m') ?? 10,
      deviation: parts.get('mstd') ?? 0,
      layers: parts.get('n') ?? 2,
      probability: parts.get('p') ?? 0.5,
      increasing: parts.get('inc') === 1,
    };
  })
  .pipe(fields);

/**
 * RandAugment (arXiv 1909.13719) as timm has it (timm/data/auto_augment.py), by fields or by timm's words for them:
 * BEiT fine-tunes with `rand-m9-mstd0.5-inc1`, which is what the fields have where they are left out.
 */
export const randAugmentSchema = z.union([text, fields]);

export type RandAugment = z.output<typeof randAugmentSchema>;
