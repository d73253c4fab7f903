import { PecoError } from '../stage/errors.ts';
import { suggest } from '../stage/issues.ts';
import type { StageGraph, StageNode } from './types.ts';

/** At the end of the id of what is made once per seed. */
const seedEnd = /\/seed-\d+$/;

/**
 * The stages that a name means: the one with that id, else those of all seeds, else all whose ids begin with it, as
 * `tokenizer/peco` begins `tokenizer/peco/rung-1/seed-0` and `tokenizer/peco@size=64/seed-0`.
 *
 * @throws PecoError `unknown-stage` with near names
 */
export function findStages(graph: StageGraph, name: string): readonly StageNode[] {
  const there = new Set(graph.stages);
  const byId = new Map(graph.stages.map((node) => [node.id, node] as const));
  for (const [id, node] of graph.aliases) if (there.has(node) && !byId.has(id)) byId.set(id, node);
  const exact = byId.get(name);
  if (exact) return [exact];
  const whole = [...byId].filter(([id]) => id.replace(seedEnd, '') === name);
  const found = whole.length > 0 ? whole : [...byId].filter(([id]) => isFront(name, id));
  // In the order of the graph, each once: an alias may be another name of one that is there.
  const wanted = new Set(found.map(([, node]) => node));
  if (wanted.size > 0) return graph.stages.filter((node) => wanted.has(node));
  const ids = [...byId.keys()];
  const names = seedEnd.test(name) ? ids : [...new Set(ids.map((id) => id.replace(seedEnd, '')))];
  const hint = suggest(name, names);
  throw new PecoError(`the experiment has no stage "${name}"`, {
    code: 'unknown-stage',
    ...(hint === undefined ? {} : { hint }),
  });
}

function isFront(name: string, id: string): boolean {
  return id.startsWith(name) && (id[name.length] === '/' || id[name.length] === '@');
}
