import { z } from 'zod';
import type { ConfigIssue } from '../stage/component.ts';
import { explainZodError, suggest, valueAt, withArticle } from '../stage/issues.ts';
import {
  type DeclaredAs,
  type DeclaredRole,
  declaredRoles,
  hasMembers,
  inputsOf,
  isInRows,
  type Role,
  roles,
} from '../stage/roles.ts';
import { checkSlurmStages, slurmSchema } from '../stage/slurm.ts';
import { isComponent } from '../stage/source.ts';
import { checkHalving, isHalving } from './changes/halving.ts';
import { problemsOf } from './changes/sweep.ts';
import type { Problem } from './problem.ts';

/** Names become parts of stage ids and of `--set` paths. */
const namePattern = /^[A-Za-z0-9_-]+$/;

const schema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
      'names a folder, so it has letters from a to z, digits, ".", "_" and "-" only',
    )
    // Windows has no such folders; a project may move there.
    .regex(/[^.]$/, 'names a folder, so it does not end with "."')
    .regex(
      /^(?!(con|prn|aux|nul|com\d|lpt\d)(\.|$))/i,
      'names a folder, and Windows keeps this name for a device',
    )
    .max(100, 'names a folder, so it has at most 100 characters'),
  seeds: z
    .array(z.int().nonnegative())
    .min(1, 'needs at least one seed')
    .refine((seeds) => new Set(seeds).size === seeds.length, 'lists a seed twice'),
  ...groups(declaredRoles('members', 'rows', 'tasks')),
  ...groups(declaredRoles('one').filter(isInRows)),
  ...bareGroups(),
  baseline: z.string(),
  ...groups(declaredRoles('one').filter((one) => !isInRows(one))),
  sweep: z
    .custom((value) => isPoints(isHalving(value) ? value.points : value), {
      error: 'expected points, made by product, zip, chain, random or successiveHalving',
    })
    .optional(),
  slurm: slurmSchema.optional(),
});

/** Everything that is wrong with an experiment's own fields; those of its components are in the components. */
export function checkExperiment(input: unknown): ConfigIssue[] {
  const parsed = schema.safeParse(input);
  const issues = parsed.success ? [] : explainZodError(parsed.error, schema, input);
  const stages = parsed.success ? checkSlurmStages(parsed.data.slurm, ['slurm']) : [];
  return [...issues, ...stages, ...checkNames(input), ...checkBaseline(input), ...checkSweep(input)];
}

/** How the sweep was made; whether its points fit the experiment is for `sweepProblems`. */
function checkSweep(input: unknown): readonly Problem[] {
  const sweep = valueAt(input, ['sweep']);
  const issues = isHalving(sweep) ? checkHalving(sweep) : problemsOf(sweep);
  return issues.map((issue) => {
    const swept = issue.path[1];
    return swept === undefined ? issue : { ...issue, path: String(swept).split('.'), written: issue.path };
  });
}

function isPoints(value: unknown): boolean {
  const isPoint = (point: unknown) => typeof point === 'object' && point !== null && !Array.isArray(point);
  return Array.isArray(value) && value.every(isPoint);
}

function checkNames(input: unknown): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  for (const one of declaredRoles('rows', 'tasks')) {
    const { group } = one.declared;
    for (const name of namesAt(input, [group])) {
      const message = explainName(one, name);
      if (message !== undefined) issues.push({ path: [group, name], message });
    }
  }
  for (const { role, declared } of declaredRoles('tasks')) {
    const tasks = namesAt(input, [declared.group]);
    for (const task of namesAt(input, [declared.bare, declared.group])) {
      if (tasks.includes(task)) continue;
      const path = [declared.bare, declared.group, task];
      issues.push({ path, message: `no such ${role} task`, ...withHint(suggest(task, tasks)) });
    }
  }
  return issues;
}

/** Names of rows and of tasks are those of one list, whichever group they come from. */
function explainName(
  { role, declared }: DeclaredRole<DeclaredAs<'rows' | 'tasks'>>,
  name: string,
): string | undefined {
  if (!namePattern.test(name)) return 'a name has letters from a to z, digits, "_" and "-" only';
  const rows = declaredRoles('rows');
  if (role === rows[0]?.role && bareFields().includes(name))
    return `this name is kept for the row without ${rows.at(-1)!.role}`;
  if (declared.as !== 'tasks') return undefined;
  const measure = declaredRoles('one').find(({ spec }) => spec.cells === name);
  if (!measure) return undefined;
  const measured = Object.values(inputsOf(measure.role)).find((input) => !hasMembers(input))!;
  return `this name is kept for the measures of ${roles[measured].plural}`;
}

function checkBaseline(input: unknown): ConfigIssue[] {
  const baseline = valueAt(input, ['baseline']);
  if (typeof baseline !== 'string') return [];
  const { role, declared } = declaredRoles('rows')[0]!;
  const bare = bareFields().filter((field) => valueAt(input, [field]) !== undefined);
  const rows = [...namesAt(input, [declared.group]), ...bare];
  if (rows.includes(baseline)) return [];
  const path = ['baseline'];
  const kept = declaredRoles('tasks').find((one) => one.declared.bare === baseline);
  if (kept) {
    const hint = `declare \`${baseline}: { ${kept.declared.group}: ... }\` to have it`;
    return [{ path, message: 'there is no such row', hint }];
  }
  return [{ path, message: `not a declared ${role}`, ...withHint(suggest(baseline, rows)) }];
}

/** Fields of tasks for rows without the rest: those rows are called by them. */
function bareFields(): readonly string[] {
  return [...new Set(declaredRoles('tasks').map(({ declared }) => declared.bare))];
}

function withHint(hint: string | undefined): { readonly hint?: string } {
  return hint === undefined ? {} : { hint };
}

function namesAt(input: unknown, path: readonly string[]): string[] {
  const value = valueAt(input, path);
  return typeof value === 'object' && value !== null && !isComponent(value) ? Object.keys(value) : [];
}

/** The fields by which components of these roles are declared. */
function groups(declared: readonly DeclaredRole[]): { readonly [group: string]: z.ZodType } {
  return Object.fromEntries(declared.map((one) => [one.declared.group, group(one)]));
}

function group({ role, declared }: DeclaredRole): z.ZodType {
  switch (declared.as) {
    case 'members':
      return z.strictObject(Object.fromEntries(declared.names.map((name) => [name, a(role)])));
    case 'one':
      return a(role).optional();
    default:
      return z
        .record(z.string(), a(role))
        .refine((group) => Object.keys(group).length > 0, `needs at least one ${role}`);
  }
}

/** The same tasks again, in fields of their own. */
function bareGroups(): { readonly [field: string]: z.ZodType } {
  return Object.fromEntries(
    bareFields().map((field) => {
      const own = declaredRoles('tasks').filter(({ declared }) => declared.bare === field);
      const tasks = own.map(
        ({ role, declared }) => [declared.group, z.record(z.string(), a(role).optional())] as const,
      );
      return [field, z.strictObject(Object.fromEntries(tasks)).optional()];
    }),
  );
}

/** A component of a role, as it is. */
function a(role: Role) {
  return z.custom((value) => isComponent(value) && value.role === role, {
    error: (issue) => {
      if (issue.input === undefined) return `is missing: ${withArticle(role)}`;
      if (isComponent(issue.input))
        return `expected ${withArticle(role)}, not the ${issue.input.role} "${issue.input.kind}"`;
      return `expected ${withArticle(role)}, made by a constructor such as those of peco-exp`;
    },
  });
}
