/**
 * What a plain object has under a name that a user chose; undefined where it has nothing of its own there. Without this,
 * `constructor`, `toString` and `__proto__` find what every object inherits.
 */
export function own<T>(record: { readonly [name: string]: T } | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
