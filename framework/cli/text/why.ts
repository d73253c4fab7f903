import type { Difference } from '../../plan/differences.ts';
import { withoutSeed } from '../../plan/named.ts';
import type { PlannedStage } from '../../plan/plan.ts';
import type { ExplainedRoot } from '../../plan/roots.ts';
import type { Nearest } from '../../plan/why.ts';
import { formatResumePoint, type ResumePoint } from '../../run/worker/resume.ts';
import type { Json } from '../../stage/json.ts';
import { own } from '../../stage/own.ts';
import type { Entry } from '../../store/types.ts';
import { count } from './format.ts';

/** The most entries of one kind of change (code files, data files) that are listed. */
const mostListed = 10;

export interface Explanation {
  readonly planned: PlannedStage;
  /** Its checkpoint, if it has one. */
  readonly saved?: ResumePoint;
  /** Absent for what doesn't run, and where nothing of the kind is stored. */
  readonly nearest?: Nearest;
  /** Ids of the stages that make the inputs and run first, by input name. */
  readonly pending: { readonly [input: string]: string };
  /** Ids of the stages that make the inputs. */
  readonly upstream: { readonly [input: string]: string };
}

/** What `peco-exp why` prints, in lines. */
export function formatWhy({ planned, nearest, pending, upstream, saved }: Explanation): string[] {
  const { node, status, entry, reason } = planned;
  if (status === 'hit' && entry)
    return [`${node.id} is stored: nothing changed`, `  ${describeEntry(entry)}`];
  if (status === 'dropped') return [`${node.id} doesn't run: ${reason}`];
  const waits = Object.entries(pending);
  const head = headOf(planned, waits);
  const resume = saved ? [`it resumes at ${formatResumePoint(saved)}`] : [];
  if (!nearest) return [head, ...resume, `nothing of kind ${planned.fingerprint.kind} is stored`];
  const differences = nearest.differences.filter(
    ({ type, input }) => type !== 'upstream' || input === undefined || own(pending, input) === undefined,
  );
  const lines = [head, ...resume, 'the nearest stored result', `  ${describeEntry(nearest.entry)}`];
  if (differences.length + waits.length === 0) return [...lines, 'does not differ in what is known now'];
  return [
    ...lines,
    'differs in',
    ...formatDifferences(differences, upstream),
    ...waits.map(([input, id]) => `  upstream  ${input}: ${id} runs first, its result is not known yet`),
  ];
}

function headOf({ node, status, reason }: PlannedStage, waits: readonly [string, string][]): string {
  if (status === 'unknown') return `${node.id} has no key: ${reason}`;
  if (status !== 'maybe') return `${node.id} would run: no stored result has its key`;
  // What a selection decides needn't depend on an input that isn't there yet.
  if (waits.length === 0) return `${node.id} may run: ${reason}`;
  return `${node.id} may run: it depends on what ${waits.map(([, id]) => id).join(', ')} will produce`;
}

/** What weighs most first: what was declared, then what it is made of. */
const order: readonly Difference['type'][] = [
  ...(['kind', 'config', 'seed', 'data', 'upstream', 'other', 'code', 'package'] as const),
];

/** `codebook.size: 128 -> 256 and 2 more`: the first of some differences; undefined if there are none. */
export function summarise(differences: readonly Difference[]): string | undefined {
  const sorted = [...differences].sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
  const [first, ...others] = sorted;
  if (!first) return undefined;
  const word = first.type === 'config' || first.type === 'data' ? '' : `${first.type} `;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return `${word}${formatDifference(first, {})}${more}`;
}

/** Stages that run by themselves, and why; as JSON has it. */
export function describeRoot({ stages, followers, nearest }: ExplainedRoot) {
  return {
    stages: stages.map(({ node }) => node.id),
    reason: stages[0]!.reason,
    followers,
    nearest: nearest ? { key: nearest.key, differences: nearest.differences } : null,
  };
}

/** What `peco-exp why` prints without a stage: a paragraph for each root. */
export function formatRoots(roots: readonly ExplainedRoot[]): string[] {
  if (roots.length === 0) return ['nothing would run: all of it is stored'];
  const others = roots.reduce((sum, { followers }) => sum + followers, 0);
  const own = roots.reduce((sum, { stages }) => sum + stages.length, 0);
  return [
    `${count(own, 'stage')} would run by ${own === 1 ? 'itself' : 'themselves'}, and ${others} because of that`,
    ...roots.flatMap((root) => ['', ...formatRoot(root)]),
  ];
}

function formatRoot({ stages, followers, nearest }: ExplainedRoot): string[] {
  const [{ node, reason, fingerprint }] = stages as [PlannedStage];
  const name = stages.length === 1 ? node.id : `${withoutSeed(node.id)} (${count(stages.length, 'seed')})`;
  const because = followers === 0 ? '' : `, and because of it ${count(followers, 'other')}`;
  const head = `${name} would run${because}`;
  if (reason !== 'no stored result') return [head, `  ${reason}`];
  if (!nearest) return [head, `  nothing of kind ${fingerprint.kind} is stored`];
  return [
    `${head}; it differs from ${describeEntry(nearest.entry)} in`,
    ...(nearest.differences.length === 0
      ? ['  nothing that is known']
      : formatDifferences(nearest.differences)),
  ];
}

/** Aligned lines, one a field. */
export function formatDifferences(
  differences: readonly Difference[],
  upstream: { readonly [input: string]: string } = {},
): string[] {
  const rows = [...groupBy(differences, ({ type, input }) => `${type} ${input}`).values()].flatMap(
    (group) => {
      const rest = group.length - mostListed;
      const shown = rest > 1 ? group.slice(0, mostListed) : group;
      const more = rest > 1 ? [`  ${label(group[0]!).padEnd(8)}  and ${count(rest, 'more change')}`] : [];
      return [
        ...shown.map((one) => `  ${label(one).padEnd(8)}  ${formatDifference(one, upstream)}`),
        ...more,
      ];
    },
  );
  return rows;
}

function label({ type }: Difference): string {
  return type;
}

function formatDifference(difference: Difference, upstream: { readonly [input: string]: string }): string {
  const { type, input, path, before, after } = difference;
  const of = input === undefined ? '' : ` (input ${input})`;
  switch (type) {
    case 'upstream': {
      const stage = input === undefined ? undefined : own(upstream, input);
      return stage === undefined
        ? `${input} is another result`
        : `${input}: ${stage} produced other bytes (why ${stage} shows more)`;
    }
    case 'code':
      return `${path} ${changeOf(before, after)}${input === undefined ? '' : ` (loads input ${input})`}`;
    case 'data':
      return `${path} ${changeOf(before, after)}${of}`;
    case 'package':
      return `${path} ${show(before)} -> ${show(after)}${of}`;
    case 'seed':
      return `${show(before)} -> ${show(after)}`;
    case 'kind':
    case 'config':
    case 'other':
      return `${path}: ${show(before)} -> ${show(after)}${of}`;
  }
}

function changeOf(before: Json | undefined, after: Json | undefined): string {
  if (before === undefined) return 'is new';
  return after === undefined ? 'is gone' : 'changed';
}

function show(value: Json | undefined): string {
  if (value === undefined) return '(absent)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export function describeEntry({ key, provenance }: Entry): string {
  const started =
    typeof provenance.started === 'string' ? provenance.started.slice(0, 16).replace('T', ' ') : '';
  const accepted = typeof provenance.accepted === 'object' ? ', accepted' : '';
  const smoke = provenance.smoke === true ? ' by a smoke run' : '';
  return `${key.slice(0, 12)}${started === '' ? '' : `  made ${started} UTC`}${smoke}${accepted}`;
}

function groupBy<T>(items: readonly T[], name: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(name(item), [...(groups.get(name(item)) ?? []), item]);
  return groups;
}
