import { PecoError } from '../../stage/errors.ts';
import type { Json } from '../../stage/json.ts';
import { isComponent, sourceOf } from '../../stage/source.ts';
import type { Problem } from '../problem.ts';
import { refuse } from '../refused.ts';
import type { Experiment } from '../types.ts';
import {
  type Assignment,
  findBadValue,
  findMade,
  findMisdirection,
  readValue,
  replaceAll,
} from './assign.ts';
import type { Override } from './change.ts';
import { findIgnored } from './ignored.ts';

interface OverrideResult {
  readonly experiment: Experiment;
  readonly overrides: readonly Override[];
  readonly problems: readonly Problem[];
}

/** Applies `--set` and `--seeds` to what the experiment was made from, and makes it again. */
export function applyOverrides(
  experiment: Experiment,
  options: { readonly set?: readonly string[]; readonly seeds?: readonly number[] },
): OverrideResult {
  const wanted = (options.set ?? []).map(parseAssignment);
  if (options.seeds !== undefined) wanted.push({ path: ['seeds'], value: [...options.seeds] });
  const result = assign(experiment, wanted);
  return { ...result, problems: result.problems.map((problem) => ({ ...problem, origin: 'set' as const })) };
}

/**
 * An experiment like another but for some fields: `override(base, { 'tokenizers.peco.codebook.size': 512 })`. Paths
 * and values as for `--set`. What is wrong with them is told when the file is loaded, with all other errors.
 *
 * @throws PecoError `invalid-experiment` if `base` is none
 */
export function override<E extends Experiment>(base: E, changes: { readonly [path: string]: Json }): E {
  if (sourceOf(base) === undefined || isComponent(base)) {
    const hint = 'give the default export of an experiment file';
    throw new PecoError('override takes an experiment', { code: 'invalid-experiment', hint });
  }
  const wanted = Object.entries(changes).map(([path, value]) => ({ path: path.split('.'), value }));
  const { experiment, problems } = assign(base, wanted);
  const source = sourceOf(experiment)!;
  return source.construct(refuse(source.input as Experiment, problems)) as E;
}

function assign(
  experiment: Experiment,
  wanted: readonly (Assignment | { readonly problem: Problem })[],
): OverrideResult {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  let current = experiment;
  for (const assignment of wanted) {
    if ('problem' in assignment) {
      problems.push(assignment.problem);
      continue;
    }
    const { path, value } = assignment;
    const problem = findMisdirection(current, path, 'set') ?? findBadValue(path, value);
    if (problem !== undefined) {
      problems.push({ ...problem, written: path });
      continue;
    }
    const changed = replaceAll(current, [assignment]) as Experiment;
    const ignored = findIgnored(current, changed, path);
    if (ignored !== undefined) {
      problems.push({ ...ignored, written: path });
      continue;
    }
    const made = findMade(current, path);
    overrides.push({
      path: path.join('.'),
      from: readValue(current, path),
      to: value,
      ...(made === undefined ? {} : { made: made.join('.') }),
    });
    current = changed;
  }
  return { experiment: current, overrides, problems };
}

function parseAssignment(text: string): Assignment | { readonly problem: Problem } {
  const at = text.indexOf('=');
  const path = text.slice(0, Math.max(0, at)).trim().split('.');
  if (at < 1 || path.includes('')) {
    const hint =
      "write a path and a value: --set tokenizers.peco.codebook.size=1024; lists and objects are JSON in quotes: --set 'seeds=[0,1]'";
    return { problem: { path: [], message: `--set ${text} is not an assignment`, hint } };
  }
  return { path, value: parseValue(text.slice(at + 1)) };
}

/** JSON or, where it isn't, the text itself. */
export function parseValue(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
