import { type Change, describeChange } from '../experiment/changes/change.ts';
import { isHalving } from '../experiment/changes/halving.ts';
import type { Experiment } from '../experiment/types.ts';
import { baselineName, listVariants, tagOf, type Variant } from '../experiment/variants.ts';
import { createNodes, type Nodes } from './nodes.ts';
import { replicatesOf } from './replicates.ts';
import { halveTokenizers, type TokenizerEdges } from './rungs.ts';
import { sharedByCells } from './shared.ts';
import { tableOf } from './table.ts';
import type { Cell, StageEdge, StageGraph } from './types.ts';

export { type MissingCell, withMissing } from './table.ts';

type Edges = { readonly [name: string]: StageEdge };

/** A row of the table with the stages of its tokenizer. */
interface Row {
  readonly variant: Variant;
  readonly tokenizers?: TokenizerEdges;
}

/**
 * The DAG of a valid experiment: roles decide the wiring, places that mean the same share one stage. The report says how
 * the experiment was changed.
 */
export function resolveGraph(experiment: Experiment, changes: readonly Change[] = []): StageGraph {
  const nodes = createNodes();
  const variants = listVariants(experiment);
  const { sweep, seeds } = experiment;
  const halved = isHalving(sweep)
    ? halveTokenizers(variants, sweep.halving, { seeds, nodes })
    : new Map<Variant, TokenizerEdges>();
  const rows = variants.map((variant): Row => {
    if (!variant.tokenizer) return { variant };
    return { variant, tokenizers: halved.get(variant) ?? tokenizerEdges(variant, seeds, nodes) };
  });
  const cells = [
    ...rows.flatMap((row) => evaluationCells(row, seeds, nodes)),
    ...rows.flatMap((row) => downstreamCells(row, seeds, nodes)),
  ];
  const names = variants.map((variant) => variant.name);
  const baseline = baselineName(experiment);
  if (experiment.report) {
    const baselineOf = variants.every((variant) => variant.baseline === baseline)
      ? undefined
      : Object.fromEntries(variants.map((variant) => [variant.name, variant.baseline]));
    const report = {
      component: experiment.report,
      experiment: experiment.name,
      baseline,
      ...(baselineOf ? { baselineOf } : {}),
      variants: names,
      cells,
      shared: sharedByCells(cells),
      changes: changes.map(describeChange),
    };
    nodes.addReport(tableOf(report));
  }
  return {
    experiment: experiment.name,
    changes,
    baseline,
    variants: names,
    stages: nodes.all(),
    aliases: nodes.aliases(),
    cells,
  };
}

function tokenizerEdges(variant: Variant, ofExperiment: readonly number[], nodes: Nodes): TokenizerEdges {
  const { name, component } = variant.tokenizer!;
  const id = `tokenizer/${name}${tagOf(variant, [`tokenizers.${name}`])}`;
  const { seeds, shared } = replicatesOf(component, ofExperiment);
  return new Map(
    seeds.map((seed) => [seed, nodes.edge(component, { id, data: variant.data, seed, shared })]),
  );
}

/** One for each seed of the tokenizer: where all seeds share that, they share its measures. */
function evaluationCells(
  { variant, tokenizers }: Row,
  ofExperiment: readonly number[],
  nodes: Nodes,
): Cell[] {
  const { evaluation, data } = variant;
  if (!evaluation || !tokenizers) return [];
  const { name, component } = variant.tokenizer!;
  const id = `evaluation/${name}${tagOf(variant, [`tokenizers.${name}`, 'evaluation'])}`;
  const { shared } = replicatesOf(component, ofExperiment);
  return [...tokenizers].map(([seed, tokenizer]) => {
    const stage = nodes.stage(evaluation, { id, data, seed, shared, wired: { tokenizer } });
    return { variant: variant.name, task: 'tokenizer', seed, stage };
  });
}

function downstreamCells(row: Row, seeds: readonly number[], nodes: Nodes): Cell[] {
  const { variant } = row;
  const { tokenizer, pretraining } = variant;
  const own = [`tokenizers.${tokenizer?.name}`, `pretraining.${pretraining?.name}`];
  const group = tokenizer ? 'downstream' : 'scratch.downstream';
  const name = variant.name.split('@')[0]!;
  return seeds.flatMap((seed) => {
    const wired = pretrainedBy(row, own, seed, nodes);
    return Object.entries(variant.downstream).flatMap(([task, component]) => {
      if (!component) return [];
      const tag = tagOf(variant, [...own, `${group}.${task}`]);
      const id = `downstream/${name}${tag}/${task}`;
      const stage = nodes.stage(component, { id, seed, data: variant.data, wired });
      return [{ variant: variant.name, task, seed, stage }];
    });
  });
}

function pretrainedBy(
  { variant, tokenizers }: Row,
  own: readonly string[],
  seed: number,
  nodes: Nodes,
): Edges {
  const { pretraining, data } = variant;
  if (!tokenizers || !pretraining) return {};
  const id = `pretraining/${variant.tokenizer!.name}/${pretraining.name}${tagOf(variant, own)}`;
  // That of the same seed, or the one that all seeds share.
  const tokenizer = tokenizers.get(seed) ?? [...tokenizers.values()][0]!;
  return { pretrained: nodes.edge(pretraining.component, { id, seed, data, wired: { tokenizer } }) };
}
