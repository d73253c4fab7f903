import type { Json } from '../../stage/json.ts';
import { fieldsOf } from '../missing.ts';
import type { Problem } from '../problem.ts';
import { set } from '../tree.ts';
import type { ChangeFlags, Declared } from '../types.ts';
import { assignInTurn } from './assign.ts';
import type { Override } from './change.ts';
import { parseSet, parseSweep } from './flags.ts';
import { isHalving, pointsOf } from './halving.ts';
import type { Assignment, FlagAssignment } from './path.ts';
import { sweepOver } from './sweep.ts';
import { keepTasks } from './tasks.ts';

/** Changes an experiment by flags. A flag that can't be applied is a problem of what is returned. */
export function change<D extends Declared>(
  declared: D,
  { tasks, set = [], fields = [], sweep = [], seeds }: ChangeFlags,
): D {
  const flags: (Assignment | FlagAssignment | Problem)[] = [...set.map(parseSet), ...fields];
  if (seeds !== undefined) flags.push({ path: ['seeds'], value: [...seeds], flag: 'seeds' });
  return sweepAlso(setInTurn(tasks === undefined ? declared : ofTasks(declared, tasks), flags), sweep);
}

/** First of all, so that other flags can't be of what isn't there. */
function ofTasks<D extends Declared>(declared: D, names: readonly string[]): D {
  const { experiment, from, problems } = keepTasks(declared.experiment, names);
  const overrides: Override[] = from
    ? [{ flag: 'tasks', path: 'tasks', from: [...from], to: [...names] }]
    : [];
  // Variables of the tasks that went.
  const isAsked = (name: string) =>
    fieldsOf(experiment, name).length > 0 || fieldsOf(declared.experiment, name).length === 0;
  return {
    ...declared,
    experiment,
    unset: declared.unset.filter(isAsked),
    overrides: [...declared.overrides, ...overrides],
    problems: [...declared.problems, ...problems],
  };
}

/** One flag after the other, so that problems come in the order of the flags. */
function setInTurn<D extends Declared>(
  declared: D,
  flags: readonly (Assignment | FlagAssignment | Problem)[],
): D {
  let { experiment } = declared;
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  for (const flag of flags) {
    const assigned = 'message' in flag ? undefined : assignInTurn(experiment, [flag]);
    const found = 'message' in flag ? [flag] : assigned!.problems;
    const own = 'flag' in flag ? { flag: flag.flag } : {};
    problems.push(...found.map((problem) => ({ ...problem, origin: own.flag ?? 'set' })));
    overrides.push(...(assigned?.overrides ?? []).map((override) => ({ ...override, ...own })));
    experiment = assigned?.tree ?? experiment;
  }
  return {
    ...declared,
    experiment,
    overrides: [...declared.overrides, ...overrides],
    problems: [...declared.problems, ...problems],
  };
}

/** The experiment's own sweep times that of the flags. */
function sweepAlso<D extends Declared>(declared: D, texts: readonly string[]): D {
  const { flags, problems } = parseSweep(texts);
  const { experiment } = declared;
  const { sweep } = experiment;
  const changed = { ...declared, problems: [...declared.problems, ...problems] };
  if (Object.keys(flags).length === 0) return changed;
  const points = sweepOver(pointsOf(sweep), flags);
  const value = (isHalving(sweep) ? { ...sweep, points } : points) as Json;
  return {
    ...changed,
    experiment: set(experiment, [{ path: ['sweep'], value }]) as typeof experiment,
    swept: { ...declared.swept, ...flags },
  };
}
