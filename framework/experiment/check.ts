import { z } from 'zod';
import type { ConfigIssue, Role } from '../stage/component.ts';
import { explainZodError, suggest, valueAt, withArticle } from '../stage/issues.ts';
import { isComponent } from '../stage/source.ts';
import { checkHalving, isHalving } from './changes/halving.ts';
import { problemsOf } from './changes/sweep.ts';
import type { Problem } from './problems.ts';

/** Names become parts of stage ids and of `--set` paths. */
const namePattern = /^[A-Za-z0-9_-]+$/;

const schema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'names a folder, so it has letters, digits, ".", "_" and "-" only')
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
  data: z.strictObject({ train: a('dataset'), test: a('dataset') }),
  tokenizers: named('tokenizer'),
  pretraining: named('pretraining'),
  downstream: named('downstream'),
  evaluation: a('evaluation').optional(),
  scratch: z.strictObject({ downstream: z.record(z.string(), a('downstream').optional()) }).optional(),
  baseline: z.string(),
  report: a('report').optional(),
  sweep: z
    .custom((value) => isPoints(isHalving(value) ? value.points : value), {
      error: 'expected points, made by product, zip, chain, random or successiveHalving',
    })
    .optional(),
});

/** Everything that is wrong with an experiment's own fields; those of its components are in the components. */
export function checkExperiment(input: unknown): ConfigIssue[] {
  const parsed = schema.safeParse(input);
  const issues = parsed.success ? [] : explainZodError(parsed.error, schema, input);
  return [...issues, ...checkNames(input), ...checkBaseline(input), ...checkSweep(input)];
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
  for (const group of ['tokenizers', 'pretraining', 'downstream']) {
    const names = namesAt(input, [group]);
    for (const name of names) {
      const message = explainName(group, name);
      if (message !== undefined) issues.push({ path: [group, name], message });
    }
  }
  const tasks = namesAt(input, ['downstream']);
  for (const task of namesAt(input, ['scratch', 'downstream'])) {
    if (!tasks.includes(task)) {
      const hint = suggest(task, tasks);
      issues.push({
        path: ['scratch', 'downstream', task],
        message: 'no such downstream task',
        ...(hint ? { hint } : {}),
      });
    }
  }
  return issues;
}

function explainName(group: string, name: string): string | undefined {
  if (!namePattern.test(name)) return 'a name has letters, digits, "_" and "-" only';
  if (group === 'tokenizers' && name === 'scratch')
    return 'this name is kept for the row without pretraining';
  if (group === 'downstream' && name === 'tokenizer')
    return 'this name is kept for the measures of tokenizers';
  return undefined;
}

function checkBaseline(input: unknown): ConfigIssue[] {
  const baseline = valueAt(input, ['baseline']);
  if (typeof baseline !== 'string') return [];
  const scratch = valueAt(input, ['scratch']) !== undefined;
  const rows = [...namesAt(input, ['tokenizers']), ...(scratch ? ['scratch'] : [])];
  if (rows.includes(baseline)) return [];
  if (baseline === 'scratch') {
    return [
      {
        path: ['baseline'],
        message: 'there is no such row',
        hint: 'declare `scratch: { downstream: ... }` to have it',
      },
    ];
  }
  const hint = suggest(baseline, rows);
  return [{ path: ['baseline'], message: 'not a declared tokenizer', ...(hint ? { hint } : {}) }];
}

function namesAt(input: unknown, path: readonly string[]): string[] {
  const value = valueAt(input, path);
  return typeof value === 'object' && value !== null && !isComponent(value) ? Object.keys(value) : [];
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

function named(role: Role) {
  return z
    .record(z.string(), a(role))
    .refine((group) => Object.keys(group).length > 0, `needs at least one ${role}`);
}
