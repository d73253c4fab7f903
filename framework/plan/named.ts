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
  const source = pattern
    .split(/(\*\*\/?|[*?])/)
    .map((part) => wildcards[part] ?? part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('');
  const whole = new RegExp(`^${source}$`);
  const front = new RegExp(`^${source}[/@]`);
  const exact = all.filter(([id]) => whole.test(id) || whole.test(withoutSeed(id)));
  return exact.length > 0 ? exact : all.filter(([id]) => front.test(id));
}

const wildcards: { readonly [part: string]: string } = {
  '**/': '(?:.*/)?',
  '**': '.*',
  '*': '[^/]*',
  '?': '[^/]',
};

function isFront(name: string, id: string): boolean {
  return id.startsWith(name) && (id[name.length] === '/' || id[name.length] === '@');
}
