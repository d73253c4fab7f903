import { createHash } from 'node:crypto';
import type { Json, JsonObject } from './json.ts';

/**
 * The one text of a JSON value: keys sorted by code unit, no white space, -0 as 0, properties that are undefined
 * left out. Equal values have equal texts and the other way round.
 *
 * @throws TypeError for NaN, infinities, functions, symbols, bigints, instances of classes, and undefined in arrays
 */
export function canonicalJson(value: Json): string {
  return canonicalText(value, []);
}

/** sha256 (hex) of the canonical text. */
export function digestJson(value: Json): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** Copies a value without its undefined properties, in its own order; throws TypeError as `canonicalJson` does. */
export function cleanConfig(config: unknown): JsonObject {
  canonicalText(config, []);
  return JSON.parse(JSON.stringify(config)) as JsonObject;
}

function canonicalText(value: unknown, path: (string | number)[]): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${Array.from(value, (item, index) => member(index, item)).join(',')}]`;
  if (typeof value !== 'object' || !isPlain(value)) throw notJson(value, path);
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const item = (value as { readonly [key: string]: unknown })[key];
    if (item !== undefined) members.push(`${JSON.stringify(key)}:${member(key, item)}`);
  }
  return `{${members.join(',')}}`;

  function member(key: string | number, item: unknown): string {
    path.push(key);
    const text = canonicalText(item, path);
    path.pop();
    return text;
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Not compared with Object.prototype: a value may come from another realm.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function notJson(value: unknown, path: readonly (string | number)[]): TypeError {
  const at = path.length > 0 ? ` at ${path.join('.')}` : '';
  if (typeof value === 'number' || value === undefined)
    return new TypeError(`${String(value)} is not JSON${at}`);
  const what =
    typeof value === 'object'
      ? `an instance of ${value?.constructor?.name ?? 'a class'}`
      : `a ${typeof value}`;
  return new TypeError(`${what} is not JSON${at}`);
}
