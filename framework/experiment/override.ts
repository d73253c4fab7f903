import { suggest, valueAt } from '../stage/issues.ts';
import type { Json } from '../stage/json.ts';
import { isComponent, sourceOf } from '../stage/source.ts';
import type { Problem } from './problems.ts';
import type { Experiment, Override } from './types.ts';

type Path = readonly string[];

interface OverrideResult {
  readonly experiment: Experiment;
  readonly overrides: readonly Override[];
  readonly problems: readonly Problem[];
}

/** Groups of an experiment whose members have names of the user's choice: nothing can be added to them. */
const groups = new Set(['data', 'tokenizers', 'pretraining', 'downstream', 'scratch']);

/** Applies `--set` and `--seeds` to what the experiment was made from, and makes it again. */
export function applyOverrides(
  experiment: Experiment,
  options: { readonly set?: readonly string[]; readonly seeds?: readonly number[] },
): OverrideResult {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  let current = experiment;
  const wanted = (options.set ?? []).map(parseAssignment);
  if (options.seeds !== undefined) wanted.push({ text: '', path: ['seeds'], value: [...options.seeds] });
  for (const assignment of wanted) {
    const problem = 'problem' in assignment ? assignment.problem : findMisdirection(current, assignment);
    if (problem !== undefined || 'problem' in assignment) {
      problems.push(problem!);
      continue;
    }
    const { path, value } = assignment;
    overrides.push({ path: path.join('.'), from: readValue(current, path), to: value });
    current = replaceAt(current, path, value) as Experiment;
  }
  return { experiment: current, overrides, problems };
}

interface Assignment {
  readonly text: string;
  readonly path: Path;
  readonly value: Json;
}

function parseAssignment(text: string): Assignment | { readonly problem: Problem } {
  const at = text.indexOf('=');
  const path = text.slice(0, Math.max(0, at)).trim().split('.');
  if (at < 1 || path.includes('')) {
    const hint = 'write a path and a value: --set tokenizers.peco.codebook.size=1024';
    return { problem: { path: [], message: `--set ${text} is not an assignment`, hint, origin: 'set' } };
  }
  return { text, path, value: parseValue(text.slice(at + 1)) };
}

function parseValue(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** Says what is wrong with a path that leads nowhere. Paths inside a component are its schema's business. */
function findMisdirection(experiment: Experiment, { path }: Assignment): Problem | undefined {
  let value: unknown = sourceOf(experiment)!.input;
  for (const [depth, key] of path.entries()) {
    if (isComponent(value)) return undefined;
    const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    if (depth === 0 && !names.includes(key)) return unknownPath(path.slice(0, 1), names);
    if (depth > 0 && groups.has(path[0]!) && !names.includes(key))
      return unknownPath(path.slice(0, depth + 1), names);
    value = valueAt(value, [key]);
  }
  if (isComponent(value) || groups.has(path.at(-1)!)) {
    const fields = isComponent(value) ? Object.keys(value.config) : Object.keys(value as object);
    const hint = `set one of its fields: ${fields.map((field) => `${path.join('.')}.${field}`).join(', ')}`;
    const what = isComponent(value) ? value.role : 'group';
    return { path, message: `a whole ${what} can't be set`, hint, origin: 'set' };
  }
  return undefined;
}

function unknownPath(path: Path, names: readonly string[]): Problem {
  const hint = suggest(path.at(-1)!, names);
  return { path, message: 'there is no such field', ...(hint ? { hint } : {}), origin: 'set' };
}

/** A copy with one field changed; components and experiments on the way are made again by their constructors. */
function replaceAt(value: unknown, path: Path, to: Json): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  const source = sourceOf(value);
  if (source !== undefined) return source.construct(replaceAt(source.input, path, to));
  if (Array.isArray(value) && Number(key) <= value.length) {
    const index = Number(key);
    return [...value.slice(0, index), replaceAt(value[index], rest, to), ...value.slice(index + 1)];
  }
  const record =
    typeof value === 'object' && value !== null ? (value as { readonly [key: string]: unknown }) : {};
  return { ...record, [key]: replaceAt(record[key], rest, to) };
}

/** The value as it was in force, defaults included; null where there was none. */
function readValue(experiment: Experiment, path: Path): Json {
  const input = sourceOf(experiment)!.input;
  return readComponentValue(input, path) ?? ((valueAt(input, path) ?? null) as Json);
}

/** Configs have the defaults but not the nested components, inputs have it the other way round. */
function readComponentValue(input: unknown, path: Path): Json | undefined {
  for (let depth = 1; depth <= path.length; depth++) {
    const nested = valueAt(input, path.slice(0, depth));
    if (!isComponent(nested)) continue;
    const rest = path.slice(depth);
    const deeper = readComponentValue(sourceOf(nested)?.input, rest);
    return deeper ?? (rest.length === 0 ? nested.kind : ((valueAt(nested.config, rest) ?? null) as Json));
  }
  return undefined;
}
