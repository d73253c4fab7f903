import type { Json } from '../../stage/json.ts';
import type { Problem } from '../problem.ts';

export type FieldPath = readonly string[];

/** A field and its new value. */
export interface Assignment {
  readonly path: FieldPath;
  readonly value: Json;
}

/** A field that a flag of its own changes. */
export interface FlagAssignment extends Assignment {
  /** Without its dashes. */
  readonly flag: string;
}

/** These lead to what every object has: a change there would change nothing, or everything. */
const unnameable = new Set(['__proto__', 'constructor', 'prototype']);

/** What is wrong with a path as it is written, whatever it is to lead to. */
export function findBadName(path: FieldPath): Problem | undefined {
  const empty = path.length === 0 || path.includes('');
  if (empty) {
    const hint = 'write names with single dots between them: tokenizers.peco.codebook.size';
    return { path, message: 'is no path of a field: a name in it is empty', hint };
  }
  const at = path.findIndex((name) => unnameable.has(name));
  if (at < 0) return undefined;
  return { path: path.slice(0, at + 1), message: `there is no such field: no field is called ${path[at]}` };
}

/** The element that a name means in a list: 0, 1, and so on, written in one way only; undefined for other names. */
export function elementAt(name: string): number | undefined {
  return /^(0|[1-9]\d{0,8})$/.test(name) ? Number(name) : undefined;
}

/** What is wrong with a name as that of an element of a list; the place after the last one is free for another. */
export function findBadElement(list: readonly unknown[], path: FieldPath): Problem | undefined {
  const element = elementAt(path.at(-1)!);
  if (element !== undefined && element <= list.length) return undefined;
  const last = list.length - 1;
  const many = list.length === 1 ? 'one element' : `${list.length} elements`;
  const there = last < 0 ? 'is empty' : `has ${many}, ${last === 0 ? '0' : `0 to ${last}`}`;
  const hint = `${[...path.slice(0, -1), list.length].join('.')} adds an element`;
  return { path, message: `there is no such element: the list ${there}`, hint };
}

/** True if a value from outside has a name in it, however deep, that no field can have. */
export function hasBadName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, item]) => unnameable.has(name) || hasBadName(item));
}
