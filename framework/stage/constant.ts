import type { z } from 'zod';

/**
 * A schema of a list that takes constants: `as const` makes lists readonly, which the types of zod's arrays and tuples refuse.
 * Not `readonly()`, which freezes at run time, and throws for what can't be frozen.
 */
export function constant<T extends z.ZodType>(
  schema: T,
): z.ZodType<Readonly<z.output<T>>, Readonly<z.input<T>>> {
  return schema as unknown as z.ZodType<Readonly<z.output<T>>, Readonly<z.input<T>>>;
}
