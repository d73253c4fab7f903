import { z } from 'zod';

/**
 * For a schema of a component whose weights come from a file: fields of the one that is trained, each of which is an error
 * that says so. Fields that both have are left out.
 */
export function refusedFields(
  others: readonly string[],
  own: { readonly [field: string]: unknown },
): { readonly [field: string]: z.ZodType } {
  const error = 'is for one that is trained here; these `weights` are trained already';
  const never = z.never({ error }).optional();
  return Object.fromEntries(others.filter((field) => !(field in own)).map((field) => [field, never]));
}
