import { type HalvingOptions, rungsOf, survivorsOf } from '../experiment/halving.ts';
import { tagOf, type Variant } from '../experiment/variants.ts';
import { valueAt } from '../stage/issues.ts';
import type { Nodes } from './nodes.ts';
import type { Contest, StageEdge, StageNode } from './types.ts';

/** Rows of one point of a tokenizer: they share its stages. */
interface Entrant {
  readonly tag: string;
  readonly variants: Variant[];
  stage?: StageNode;
  evaluation?: StageNode;
}

/**
 * Makes the rungs of a halved sweep: each is a stage that goes on from the one before, if the measures of that rung let
 * the point pass. Returns for every row that is swept the stage at the end of its tokenizer's training.
 */
export function halveTokenizers(
  variants: readonly Variant[],
  options: HalvingOptions,
  nodes: Nodes,
): ReadonlyMap<Variant, StageEdge> {
  const last = new Map<Variant, StageEdge>();
  for (const [name, entrants] of groupEntrants(variants)) {
    const { component } = entrants[0]!.variants[0]!.tokenizer!;
    const rungs = rungsOf(options, valueAt(component.config, component.steps!.split('.')) as number);
    let going = entrants.length;
    let contest: Contest | undefined;
    for (const [index, until] of rungs.entries()) {
      const isLast = index === rungs.length - 1;
      for (const entrant of entrants)
        climb(name, entrant, { isLast, until, rung: index + 1, contest }, nodes);
      const kept = survivorsOf(options, going);
      const { metric, better = 'higher' } = options;
      const evaluations = entrants.map((entrant) => entrant.evaluation!);
      contest = { rung: index + 1, rungs: rungs.length, metric, better, entrants: going, kept, evaluations };
      going = kept;
    }
    for (const { variants: rows, stage } of entrants)
      for (const row of rows) last.set(row, { type: 'stage', stage: stage! });
  }
  return last;
}

interface Step {
  readonly isLast: boolean;
  readonly until: number;
  readonly rung: number;
  readonly contest: Contest | undefined;
}

function climb(name: string, entrant: Entrant, step: Step, nodes: Nodes): void {
  const { stage: previous, evaluation: entry } = entrant;
  const [{ data, tokenizer, evaluation }] = entrant.variants as [Variant];
  const rung = step.isLast ? '' : `/rung-${step.rung}`;
  entrant.stage = nodes.stage(tokenizer!.component, {
    id: `tokenizer/${name}${entrant.tag}${rung}`,
    data,
    ...(step.isLast ? {} : { until: step.until }),
    ...(previous ? { previous } : {}),
    ...(step.contest && entry ? { gate: { contest: step.contest, entry } } : {}),
  });
  // That of the last rung is the row's own and made with it.
  if (step.isLast) return;
  entrant.evaluation = nodes.stage(evaluation!, {
    id: `evaluation/${name}${entrant.tag}${rung}`,
    data,
    wired: { tokenizer: { type: 'stage', stage: entrant.stage } },
  });
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
    const entrant = group.get(tag) ?? { tag, variants: [] };
    entrant.variants.push(variant);
    group.set(tag, entrant);
  }
  return new Map([...groups].map(([name, group]) => [name, [...group.values()]]));
}
