import type { ConfigIssue } from '../../stage/component.ts';
import type { Json } from '../../stage/json.ts';
import { showValue } from '../../stage/show.ts';

/** Values of fields, by their paths from the experiment: `{ 'tokenizers.peco.codebook.size': 1024 }`. */
export type Point = { readonly [path: string]: Json };

/** What the combinators make: a list of points, each of which becomes rows of the table. */
export type Sweep = readonly Point[];

/** Lists of values by path, or points that are there already. */
export type SweepPart = { readonly [path: string]: readonly Json[] } | Sweep;

/** A product beyond this is a slip of the pen. */
const mostPoints = 100_000;

// Registered by name, since an experiment's bundle and the command line have a copy of this module each.
const key = Symbol.for('peco-exp.sweep-problems');

/** Every combination of the values, the last list varying fastest: sizes multiply. */
export function product(...parts: readonly SweepPart[]): Sweep {
  const lists = parts.flatMap(listsOf);
  const problems = [
    ...parts.flatMap(problemsOf),
    ...parts.flatMap(findSingles),
    ...findTwice(lists),
    ...parts.flatMap(findRepeated),
  ];
  const size = lists.reduce((many, list) => many * list.points.length, 1);
  if (size > mostPoints)
    problems.push(issue([], `a product of ${size} points is more than ${mostPoints}`, 'use random(n, ...)'));
  if (problems.length > 0) return withProblems([], problems);
  let points: Sweep = [{}];
  for (const list of lists) points = points.flatMap((point) => list.points.map((one) => join(point, one)));
  return points;
}

/** The first values together, then the second ones, and so on: all lists have one length. */
export function zip(...parts: readonly SweepPart[]): Sweep {
  const lists = parts.flatMap(listsOf);
  const problems = [...parts.flatMap(problemsOf), ...parts.flatMap(findSingles), ...findTwice(lists)];
  const odd = lists.find((list) => list.points.length !== lists[0]!.points.length);
  if (odd) {
    const [first] = lists;
    const sizes = `${nameOf(first!)} has ${first!.points.length} values and ${nameOf(odd)} has ${odd.points.length}`;
    problems.push(issue([], `zip takes lists of one length: ${sizes}`));
  }
  if (problems.length > 0) return withProblems([], problems);
  const points = (lists[0]?.points ?? []).map((_, index) =>
    lists.map((list) => list.points[index]!).reduce(join, {}),
  );
  const again = repeatedIn(points);
  return again
    ? withProblems([], [issue([], `zip makes the point ${showValue(again.value)} twice`)])
    : points;
}

/** The points of one part after those of another; lists of values count as their product. A point of both is one. */
export function chain(...parts: readonly SweepPart[]): Sweep {
  const sweeps = parts.map((part) => (isList(part) ? part : product(part)));
  return withProblems(sweeps.flat(), sweeps.flatMap(problemsOf));
}

/** What is wrong with how a sweep was made; combinators don't throw, so that all errors can be told at once. */
export function problemsOf(sweep: unknown): readonly ConfigIssue[] {
  return (sweep as { readonly [key]?: readonly ConfigIssue[] } | undefined)?.[key] ?? [];
}

export function withProblems(points: Sweep, problems: readonly ConfigIssue[]): Sweep {
  return problems.length === 0 ? points : Object.defineProperty([...points], key, { value: problems });
}

/** `--sweep` over what the file sweeps: a path that both name takes the values of the flag. */
export function sweepOver(points: Sweep, flags: SweepPart): Sweep {
  const own = listsOf(flags).flatMap(({ paths }) => paths);
  const kept = points.map((point) =>
    Object.fromEntries(Object.entries(point).filter(([path]) => !own.includes(path))),
  );
  const distinct = [...new Map(kept.map((point) => [JSON.stringify(point), point])).values()];
  return withProblems(product(distinct, flags), [...problemsOf(points), ...problemsOf(flags)]);
}

interface List {
  readonly paths: readonly string[];
  readonly points: Sweep;
}

function listsOf(part: SweepPart): List[] {
  if (isList(part))
    return [{ paths: [...new Set(part.flatMap((point) => Object.keys(point)))], points: part }];
  return Object.entries(part).map(([path, values]) => ({
    paths: [path],
    // A single value is a mistake that `findSingles` reports.
    points: (Array.isArray(values) ? values : [values]).map((value: Json) => ({ [path]: value })),
  }));
}

function findSingles(part: SweepPart): ConfigIssue[] {
  if (isList(part)) return [];
  const singles = Object.entries(part).filter(([, values]) => !Array.isArray(values));
  return singles.map(([path, value]) =>
    issue([path], 'is a value, not a list', `write [${JSON.stringify(value)}]`),
  );
}

function findTwice(lists: readonly List[]): ConfigIssue[] {
  const seen = new Set<string>();
  const issues: ConfigIssue[] = [];
  for (const { paths, points } of lists) {
    for (const path of paths) {
      if (seen.has(path)) issues.push(issue([path], 'is in two parts of a product or a zip'));
      seen.add(path);
    }
    if (points.length === 0) issues.push(issue(paths, 'has no values'));
  }
  return issues;
}

/** Values that a list has twice: two points that are one, most often for a slip of the pen. */
function findRepeated(part: SweepPart): ConfigIssue[] {
  if (isList(part)) return [];
  return Object.entries(part).flatMap(([path, values]) => {
    const again = Array.isArray(values) ? repeatedIn(values) : undefined;
    return again ? [issue([path], `has ${showValue(again.value)} twice`, 'give each value once')] : [];
  });
}

/** The first value of a list that it has before already. */
export function repeatedIn(values: readonly unknown[]): { readonly value: unknown } | undefined {
  const seen = new Set<string>();
  for (const value of values) {
    const text = `${typeof value} ${showValue(value, Number.POSITIVE_INFINITY)}`;
    if (seen.has(text)) return { value };
    seen.add(text);
  }
  return undefined;
}

function isList(part: SweepPart): part is Sweep {
  return Array.isArray(part);
}

function join(a: Point, b: Point): Point {
  return { ...a, ...b };
}

function nameOf({ paths }: List): string {
  return paths.join(' with ') || 'a list without paths';
}

function issue(paths: readonly string[], message: string, hint?: string): ConfigIssue {
  return { path: ['sweep', ...paths.slice(0, 1)], message, ...(hint === undefined ? {} : { hint }) };
}
