import { type HalvingOptions, rungsOf, survivorsOf } from '../experiment/changes/halving.ts';
import { type Part, partsOf } from '../experiment/rows.ts';
import { idOf, tagOf, type Variant } from '../experiment/variants.ts';
import { valueAt } from '../stage/issues.ts';
import { halvedRole, inputsOf, roles } from '../stage/roles.ts';
import type { Nodes } from './nodes.ts';
import { replicatesOf } from './replicates.ts';
import { dataOf, type EdgesBySeed } from './row-stages.ts';
import type { Contest, Point, StageNode } from './types.ts';

/** Rows of one point of a halved component: they share its stages. */
interface Entrant {
  /** What follows ~ in the names of its rows: tells values apart that look alike. */
  readonly twin: string;
  readonly rows: { readonly variant: Variant; readonly part: Part }[];
  /** By seed: of the rung that was made last. */
  stages: ReadonlyMap<number, StageNode>;
  /** What measures them, but those of the last rung. */
  point?: Point;
}

/**
 * Makes the rungs of a halved sweep: each is a stage for every seed that goes on from the one before, if the measures of
 * that rung let the point pass. Returns for the component of every row that is swept the stages at the end of its training.
 */
export function halve(
  variants: readonly Variant[],
  options: HalvingOptions,
  { seeds, nodes }: { readonly seeds: readonly number[]; readonly nodes: Nodes },
): ReadonlyMap<Part, EdgesBySeed> {
  const last = new Map<Part, EdgesBySeed>();
  for (const entrants of groupEntrants(variants)) {
    const { component } = entrants[0]!.rows[0]!.part;
    const rungs = rungsOf(options, valueAt(component.config, component.steps!.split('.')) as number);
    let going = entrants.length;
    let contest: Contest | undefined;
    for (const [index, until] of rungs.entries()) {
      const isLast = index === rungs.length - 1;
      for (const entrant of entrants)
        climb(entrant, { isLast, until, rung: index + 1, contest, seeds }, nodes);
      const kept = survivorsOf(options, going);
      const { metric, better = 'higher' } = options;
      const points = entrants.map((entrant) => entrant.point!);
      contest = { rung: index + 1, rungs: rungs.length, metric, better, entrants: going, kept, points };
      going = kept;
    }
    for (const { rows, stages } of entrants) {
      const edges = new Map([...stages].map(([seed, stage]) => [seed, { type: 'stage', stage } as const]));
      for (const { part } of rows) last.set(part, edges);
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

function climb(entrant: Entrant, step: Step, nodes: Nodes): void {
  const { stages: before, point, twin } = entrant;
  const { variant, part } = entrant.rows[0]!;
  const { seeds, shared } = replicatesOf(part.component, step.seeds);
  const rung = step.isLast ? '' : `/rung-${step.rung}`;
  const data = dataOf(variant);
  const trained = seeds.map((seed): [number, StageNode] => {
    const previous = before.get(seed);
    const stage = nodes.stage(part.component, {
      id: `${idOf(variant, part)}${twin}${rung}`,
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
  const measure = partsOf(variant, roles[part.role].rankedBy!)[0]!;
  const [input] = Object.entries(inputsOf(measure.role)).find(([, role]) => role === part.role)!;
  entrant.point = trained.map(([seed, stage]) =>
    nodes.stage(measure.component, {
      id: `${idOf(variant, measure)}${twin}${rung}`,
      data,
      seed,
      shared,
      wired: { [input]: { type: 'stage', stage } },
    }),
  );
}

/** The points of each component that is swept. */
function groupEntrants(variants: readonly Variant[]): Entrant[][] {
  const groups = new Map<string, Map<string, Entrant>>();
  for (const variant of variants) {
    const [part] = partsOf(variant, halvedRole());
    const path = part?.path.join('.');
    if (!part || !path || !variant.fields.some(({ component }) => component === path)) continue;
    const group = groups.get(path) ?? new Map<string, Entrant>();
    groups.set(path, group);
    const twin = /~\d+$/.exec(variant.name)?.[0] ?? '';
    const tag = tagOf(variant, part) + twin;
    const entrant = group.get(tag) ?? { twin, rows: [], stages: new Map<number, StageNode>() };
    entrant.rows.push({ variant, part });
    group.set(tag, entrant);
  }
  return [...groups.values()].map((group) => [...group.values()]);
}
