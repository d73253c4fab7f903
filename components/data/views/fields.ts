import { z } from 'zod';

/** Two numbers, the smaller one first. */
export const range = (each: z.ZodNumber) =>
  z
    .tuple([each, each])
    .readonly()
    .refine(([from, to]) => from <= to, { error: 'the smaller number comes first' });
