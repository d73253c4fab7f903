import { suggest } from '../../stage/issues.ts';
import { declaredRoles } from '../../stage/roles.ts';
import type { Problem } from '../problem.ts';
import { inside, remake } from '../tree.ts';
import type { Experiment } from '../types.ts';

type Tasks = { readonly [name: string]: unknown };

/** An experiment with some of its tasks. */
export interface OfTasks {
  readonly experiment: Experiment;
  /** The tasks of the file, in its order, where that isn't all that is left. */
  readonly from?: readonly string[];
  readonly problems: readonly Problem[];
}

/** Takes the tasks out that aren't named: in all rows, and in the row without the rest, which goes if nothing is left of it. */
export function keepTasks(experiment: Experiment, names: readonly string[]): OfTasks {
  const [{ declared }] = declaredRoles('tasks') as [ReturnType<typeof declaredRoles<'tasks'>>[number]];
  const { group, bare } = declared;
  const input = inside(experiment) as { readonly [field: string]: unknown };
  const tasks = (input[group] ?? {}) as Tasks;
  const all = Object.keys(tasks);
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0)
    return { experiment, problems: unknown.map((name) => noSuchTask(group, name, all)) };
  if (all.every((name) => names.includes(name))) return { experiment, problems: [] };
  const keep = (some: Tasks) =>
    Object.fromEntries(Object.entries(some).filter(([name]) => names.includes(name)));
  const changed: { [field: string]: unknown } = { ...input, [group]: keep(tasks) };
  const own = (input[bare] as { readonly [field: string]: Tasks } | undefined)?.[group];
  if (own) {
    const left = keep(own);
    // A baseline stays, so that what is wrong is said of it.
    if (Object.keys(left).length > 0 || input.baseline === bare) changed[bare] = { [group]: left };
    else delete changed[bare];
  }
  return { experiment: remake(experiment, changed), from: all, problems: [] };
}

function noSuchTask(group: string, name: string, all: readonly string[]): Problem {
  const hint = suggest(name, all);
  const message = `there is no task "${name}"`;
  return { path: [group, name], message, origin: 'tasks', ...(hint ? { hint } : {}) };
}
