import { PecoError } from '../stage/errors.ts';
import { suggest } from '../stage/issues.ts';
import type { StageGraph, StageNode } from './types.ts';

/** At the end of the id of what is made once per seed. */
const seedEnd = /\/seed-\d+$/;

/** An id as stages of all seeds share it. */
export function withoutSeed(id: string): string {
  return id.replace(seedEnd, '');
}

/**
 * The stages that a name means: the one with that id, else those of all seeds, else all whose ids begin with it, as
 * `tokenizer/peco` begins `tokenizer/peco/rung-1/seed-0` and `tokenizer/peco@size=64/seed-0`. In a name, `*` stands for
 * any characters but a slash, `**` for any, and `?` for one: `tokenizer/p*`, `**\/seed-1`.
 *
 * @throws PecoError `unknown-stage` with near names
 */
export function findStages(graph: StageGraph, name: string): readonly StageNode[] {
  const there = new Set(graph.stages);
  const byId = new Map(graph.stages.map((node) => [node.id, node] as const));
  for (const [id, node] of graph.aliases) if (there.has(node) && !byId.has(id)) byId.set(id, node);
  const exact = byId.get(name);
  if (exact) return [exact];
  const found = isPattern(name) ? matching(name, [...byId]) : named(name, [...byId]);
  // In the order of the graph, each once: an alias may be another name of one that is there.
  const wanted = new Set(found.map(([, node]) => node));
  if (wanted.size > 0) return graph.stages.filter((node) => wanted.has(node));
  const ids = [...byId.keys()];
  const names = seedEnd.test(name) ? ids : [...new Set(ids.map(withoutSeed))];
  const hint = suggest(name, names);
  throw new PecoError(`the experiment has no stage "${name}"`, {
    code: 'unknown-stage',
    ...(hint === undefined ? {} : { hint }),
  });
}

type Named = readonly [id: string, node: StageNode];

function named(name: string, all: readonly Named[]): readonly Named[] {
  const whole = all.filter(([id]) => withoutSeed(id) === name);
  return whole.length > 0 ? whole : all.filter(([id]) => isFront(name, id));
}

/** No id has a star or a question mark: names in experiments hold neither. */
function isPattern(name: string): boolean {
  return /[*?]/.test(name);
}

/** Ids as a whole, without their seeds, or their fronts: the first of these that any id fits. */
function matching(pattern: string, all: readonly Named[]): readonly Named[] {
  const parts = pattern.split(/(\*\*\/?|[*?])/).filter((part) => part !== '');
  const isWhole = (id: string) => endsOf(parts, id)[id.length]!;
  const exact = all.filter(([id]) => isWhole(id) || isWhole(withoutSeed(id)));
  if (exact.length > 0) return exact;
  return all.filter(([id]) => endsOf(parts, id).some((ends, at) => ends && /[/@]/.test(id.charAt(at))));
}

/**
 * For each place of an id, its end included, whether what is before it fits a pattern. One pass a part: many stars take no
 * longer than their number.
 */
function endsOf(parts: readonly string[], id: string): readonly boolean[] {
  const places = Array.from({ length: id.length + 1 }, (_, at) => at);
  let ends = places.map((at) => at === 0);
  for (const part of parts) {
    const before = ends;
    const first = before.indexOf(true);
    if (first < 0) return before;
    ends = [];
    for (const at of places) {
      const last = id[at - 1];
      if (part === '**') ends.push(at >= first);
      else if (part === '**/') ends.push(before[at]! || (at > first && last === '/'));
      else if (part === '*') ends.push(before[at]! || (ends[at - 1] === true && last !== '/'));
      else if (part === '?') ends.push(before[at - 1] === true && last !== '/');
      else ends.push(before[at - part.length] === true && id.startsWith(part, at - part.length));
    }
  }
  return ends;
}

function isFront(name: string, id: string): boolean {
  return id.startsWith(name) && (id[name.length] === '/' || id[name.length] === '@');
}
