import { PecoError, type SourceLocation } from '../stage/errors.ts';
import { showValue } from '../stage/show.ts';
import { shellHint } from './changes/flags.ts';
import type { Problem } from './problem.ts';

/** One error for all problems, each with its place in the source. */
export async function reportProblems(
  problems: readonly Problem[],
  options: { readonly file: string; readonly shown: string; readonly cwd: string },
): Promise<PecoError> {
  const { createLocator } = await import('./locate.ts');
  const locate = createLocator(options.file, options.cwd);
  const located = problems.map((problem) => ({
    problem,
    location: problem.origin === undefined ? locate(problem.written ?? problem.path) : undefined,
  }));
  const errors = mergeEqual(located).map(({ problem, location, also }) =>
    describeProblem(problem, location, also),
  );
  const count = errors.length === 1 ? 'a problem' : `${errors.length} problems`;
  return new PecoError(`${options.shown} has ${count}`, { code: 'invalid-experiment', problems: errors });
}

interface LocatedProblem {
  readonly problem: Problem;
  readonly location: SourceLocation | undefined;
}

/** A constant that several components use is wrong once, however many of them complain. */
function mergeEqual(located: readonly LocatedProblem[]): (LocatedProblem & { readonly also: number })[] {
  const groups = new Map<string, LocatedProblem[]>();
  for (const item of located) {
    const { problem, location } = item;
    const place = location ? `${location.file}:${location.line}:${location.column}` : problem.path.join('.');
    // Values of --sweep have no place that tells them apart.
    const value = problem.origin === 'sweep' ? JSON.stringify(problem.value) : '';
    const name = `${place} ${String(problem.path.at(-1))} ${problem.message} ${value}`;
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return [...groups.values()].map((group) => ({ ...group[0]!, also: group.length - 1 }));
}

function describeProblem(problem: Problem, location: SourceLocation | undefined, also: number): PecoError {
  const { path, message, hint, value, origin, byDefault } = problem;
  const isSaid = typeof value === 'string' && message.includes(JSON.stringify(value));
  const got =
    value === undefined || isSaid ? '' : `, got ${showValue(value)}${byDefault ? ' (the default)' : ''}`;
  // A flag for one field says which field is wrong; the others name it.
  const isOwn = origin !== undefined && origin !== 'set' && origin !== 'sweep';
  const from = origin !== undefined && !isOwn && path.length > 0 ? ` (from --${origin})` : '';
  const others = also > 0 ? ` and ${also} more` : '';
  const where = isOwn ? `--${origin}: ` : path.length > 0 ? `${path.join('.')}${others}: ` : '';
  const hints = [hint, shellHint(problem)].filter((line) => line !== undefined);
  return new PecoError(`${where}${message}${got}${from}`, {
    code: 'invalid-config',
    ...(hints.length === 0 ? {} : { hint: hints.join('\n') }),
    ...(location ? { location } : {}),
  });
}
