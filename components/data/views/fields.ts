import { z } from 'zod';
import { constant } from '../../../framework/stage/constant.ts';

/** Two numbers, the smaller one first. */
export const range = (each: z.ZodNumber) =>
  constant(
    z.tuple([each, each]).refine(([from, to]) => from <= to, { error: 'the smaller number comes first' }),
  );
