import {
  type Halving,
  type HalvingOptions,
  rungsOf,
  selectionModule,
  survivorsOf,
} from '../experiment/changes/halving.ts';
import { inputName, type SelectionConfig } from '../experiment/changes/selection.ts';
import { type Part, partsOf } from '../experiment/rows.ts';
import { idOf, tagOf, type Variant } from '../experiment/variants.ts';
import { valueAt } from '../stage/issues.ts';
import { halvedRole, inputsOf, roles, selectingRole } from '../stage/roles.ts';
import type { Nodes } from './nodes.ts';
import { replicatesOf } from './replicates.ts';
import { dataOf, type EdgesBySeed } from './row-stages.ts';
import type { Edges, Rung, StageEdge, StageNode } from './types.ts';

/** Rows of one point of a halved component: they share its stages. */
interface Point {
  /** What follows ~ in the names of its rows: tells values apart that look alike. */
  readonly twin: string;
  readonly rows: { readonly variant: Variant; readonly part: Part }[];
  /** By seed: of the rung that was made last. */
  stages: ReadonlyMap<number, StageNode>;
}

/**
 * Makes the rungs of a halved sweep: each has a training for every point and seed, which continues the one before, and a
 * selection that ranks the points by what measures them. Returns for the component of every row that is swept the stages
 * at the end of its training.
 */
export function halve(
  variants: readonly Variant[],
  { halving: options, [selectionModule]: run }: Halving,
  { seeds, nodes }: { readonly seeds: readonly number[]; readonly nodes: Nodes },
): ReadonlyMap<Part, EdgesBySeed> {
  const last = new Map<Part, EdgesBySeed>();
  for (const points of groupPoints(variants)) {
    const { component } = points[0]!.rows[0]!.part;
    const rungs = rungsOf(options, valueAt(component.config, component.steps!.split('.')) as number);
    let count = points.length;
    let selection: StageNode | undefined;
    for (const [index, until] of rungs.entries()) {
      const isLast = index === rungs.length - 1;
      const step = { rung: index + 1, selection, seeds, ...(isLast ? {} : { until }) };
      const measures = points.flatMap((point, index) => climb(point, index, step, nodes));
      if (isLast) break;
      const survivors = survivorsOf(options, count);
      const previous = selection ? { previous: selection } : {};
      const rung = { number: index + 1, of: rungs.length, points: count, survivors, ...previous };
      selection = select(points[0]!, Object.fromEntries(measures), { rung, run, options }, nodes);
      count = survivors;
    }
    for (const { rows, stages } of points) {
      const edges = new Map([...stages].map(([seed, stage]) => [seed, { type: 'stage', stage } as const]));
      for (const { part } of rows) last.set(part, edges);
    }
  }
  return last;
}

interface Step {
  /** From 1. */
  readonly rung: number;
  /** Absent in the last rung. */
  readonly until?: number;
  /** That of the rung before. */
  readonly selection: StageNode | undefined;
  /** Of the experiment. */
  readonly seeds: readonly number[];
}

/** Makes the trainings of a point in a rung. Returns what measures them, by the names of the selection's inputs. */
function climb(point: Point, index: number, step: Step, nodes: Nodes): [string, StageEdge][] {
  const { variant, part } = point.rows[0]!;
  const { until, selection } = step;
  const { seeds, shared } = replicatesOf(part.component, step.seeds);
  const end = `${point.twin}${until === undefined ? '' : `/rung-${step.rung}`}`;
  const data = dataOf(variant);
  const trained = seeds.map((seed): [number, StageNode] => {
    const previous = point.stages.get(seed);
    const after = previous && selection ? { after: { previous, selection, point: index } } : {};
    const stops = until === undefined ? {} : { until };
    const id = idOf(variant, part) + end;
    return [seed, nodes.stage(part.component, { id, data, seed, shared, ...stops, ...after })];
  });
  point.stages = new Map(trained);
  // The stages of the last rung are the rows' own, and what measures them is made with the rows.
  if (until === undefined) return [];
  const measure = partsOf(variant, roles[part.role].rankedBy!)[0]!;
  const [input] = Object.entries(inputsOf(measure.role)).find(([, role]) => role === part.role)!;
  return trained.map(([seed, stage]) => {
    const wired = { [input]: { type: 'stage', stage } as const };
    const wish = { id: idOf(variant, measure) + end, data, seed, shared, wired };
    return [inputName(index, seed), { type: 'stage', stage: nodes.stage(measure.component, wish) }];
  });
}

interface End {
  readonly rung: Rung;
  /** URL of the module that ranks. */
  readonly run: string;
  readonly options: HalvingOptions;
}

/** The stage that ranks the points at the end of a rung. */
function select(first: Point, measures: Edges, { rung, run, options }: End, nodes: Nodes): StageNode {
  const { variant, part } = first.rows[0]!;
  const { metric, better = 'higher' } = options;
  const config: SelectionConfig = { metric, better, survivors: rung.survivors };
  const role = selectingRole();
  const id = `${role}/${part.name}/rung-${rung.number}`;
  const wish = { id, data: dataOf(variant), seed: 0, shared: true, wired: measures, rung };
  const code = { implementation: { run }, inputs: {}, files: {}, issues: [] };
  return nodes.stage({ role, kind: 'best', config, ...code }, wish);
}

/** The points of each component that is swept. */
function groupPoints(variants: readonly Variant[]): Point[][] {
  const groups = new Map<string, Map<string, Point>>();
  for (const variant of variants) {
    const [part] = partsOf(variant, halvedRole());
    const path = part?.path.join('.');
    if (!part || !path || !variant.fields.some(({ component }) => component === path)) continue;
    const group = groups.get(path) ?? new Map<string, Point>();
    groups.set(path, group);
    const twin = /~\d+$/.exec(variant.name)?.[0] ?? '';
    const tag = tagOf(variant, part) + twin;
    const point = group.get(tag) ?? { twin, rows: [], stages: new Map<number, StageNode>() };
    point.rows.push({ variant, part });
    group.set(tag, point);
  }
  return [...groups.values()].map((group) => [...group.values()]);
}
