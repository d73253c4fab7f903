import { type HalvingOptions, rungsOf, survivorsOf } from '../experiment/changes/halving.ts';
import { tagOf, type Variant } from '../experiment/variants.ts';
import { valueAt } from '../stage/issues.ts';
import type { Nodes } from './nodes.ts';
import { replicatesOf } from './replicates.ts';
import type { Contest, Point, StageEdge, StageNode } from './types.ts';

/** Rows of one point of a tokenizer: they share its stages. */
interface Entrant {
  readonly tag: string;
  readonly variants: Variant[];
  /** By seed: of the rung that was made last. */
  stages: ReadonlyMap<number, StageNode>;
  /** What measures them, but those of the last rung. */
  point?: Point;
}

/** The tokenizer of a row by seed. */
export type TokenizerEdges = ReadonlyMap<number, StageEdge>;

/**
 * Makes the rungs of a halved sweep: each is a stage for every seed that goes on from the one before, if the measures of
 * that rung let the point pass. Returns for every row that is swept the stages at the end of its tokenizer's training.
 */
export function halveTokenizers(
  variants: readonly Variant[],
  options: HalvingOptions,
  { seeds, nodes }: { readonly seeds: readonly number[]; readonly nodes: Nodes },
): ReadonlyMap<Variant, TokenizerEdges> {
  const last = new Map<Variant, TokenizerEdges>();
  for (const [name, entrants] of groupEntrants(variants)) {
    const { component } = entrants[0]!.variants[0]!.tokenizer!;
    const rungs = rungsOf(options, valueAt(component.config, component.steps!.split('.')) as number);
    let going = entrants.length;
    let contest: Contest | undefined;
    for (const [index, until] of rungs.entries()) {
      const isLast = index === rungs.length - 1;
      for (const entrant of entrants)
        climb(name, entrant, { isLast, until, rung: index + 1, contest, seeds }, nodes);
      const kept = survivorsOf(options, going);
      const { metric, better = 'higher' } = options;
      const points = entrants.map((entrant) => entrant.point!);
      contest = { rung: index + 1, rungs: rungs.length, metric, better, entrants: going, kept, points };
      going = kept;
    }
    for (const { variants: rows, stages } of entrants) {
      const edges = new Map([...stages].map(([seed, stage]) => [seed, { type: 'stage', stage } as const]));
      for (const row of rows) last.set(row, edges);
    }
  }
  return last;
}

interface Step {
  readonly isLast: boolean;
  readonly until: number;
  readonly rung: number;
  readonly contest: Contest | undefined;
  /** Of the experiment. */
  readonly seeds: readonly number[];
}

function climb(name: string, entrant: Entrant, step: Step, nodes: Nodes): void {
  const { stages: before, point } = entrant;
  const [{ data, tokenizer, evaluation }] = entrant.variants as [Variant];
  const { component } = tokenizer!;
  const { seeds, shared } = replicatesOf(component, step.seeds);
  const rung = step.isLast ? '' : `/rung-${step.rung}`;
  const trained = seeds.map((seed): [number, StageNode] => {
    const previous = before.get(seed);
    const stage = nodes.stage(component, {
      id: `tokenizer/${name}${entrant.tag}${rung}`,
      data,
      seed,
      shared,
      ...(step.isLast ? {} : { until: step.until }),
      ...(previous ? { previous } : {}),
      ...(step.contest && point ? { gate: { contest: step.contest, point } } : {}),
    });
    return [seed, stage];
  });
  entrant.stages = new Map(trained);
  // Those of the last rung are the row's own and made with it.
  if (step.isLast) return;
  entrant.point = trained.map(([seed, stage]) =>
    nodes.stage(evaluation!, {
      id: `evaluation/${name}${entrant.tag}${rung}`,
      data,
      seed,
      shared,
      wired: { tokenizer: { type: 'stage', stage } },
    }),
  );
}

function newEntrant(tag: string): Entrant {
  return { tag, variants: [], stages: new Map() };
}

function groupEntrants(variants: readonly Variant[]): Map<string, Entrant[]> {
  const groups = new Map<string, Map<string, Entrant>>();
  for (const variant of variants) {
    const { tokenizer } = variant;
    const path = `tokenizers.${tokenizer?.name}`;
    if (!tokenizer || !variant.fields.some(({ component }) => component === path)) continue;
    const group = groups.get(tokenizer.name) ?? new Map<string, Entrant>();
    groups.set(tokenizer.name, group);
    // What follows ~ tells values apart that look alike.
    const tag = tagOf(variant, [path]) + (/~\d+$/.exec(variant.name)?.[0] ?? '');
    const entrant = group.get(tag) ?? newEntrant(tag);
    entrant.variants.push(variant);
    group.set(tag, entrant);
  }
  return new Map([...groups].map(([name, group]) => [name, [...group.values()]]));
}
