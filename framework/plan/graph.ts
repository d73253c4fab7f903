import { isHalving } from '../experiment/halving.ts';
import type { Experiment } from '../experiment/types.ts';
import { baselineName, listVariants, tagOf, type Variant } from '../experiment/variants.ts';
import { PecoError } from '../stage/errors.ts';
import { suggest } from '../stage/issues.ts';
import { createNodes, type Nodes } from './nodes.ts';
import { halveTokenizers } from './rungs.ts';
import { tableOf } from './table.ts';
import type { Cell, StageEdge, StageGraph, StageNode } from './types.ts';

export { type MissingCell, withMissing } from './table.ts';

type Edges = { readonly [name: string]: StageEdge };

/** A row of the table with the stage of its tokenizer. */
interface Row {
  readonly variant: Variant;
  readonly tokenizer?: StageEdge;
}

/** The DAG of a valid experiment: roles decide the wiring, places that mean the same share one stage. */
export function resolveGraph(experiment: Experiment): StageGraph {
  const nodes = createNodes();
  const variants = listVariants(experiment);
  const { sweep } = experiment;
  const halved = isHalving(sweep) ? halveTokenizers(variants, sweep.halving, nodes) : new Map();
  const rows = variants.map((variant): Row => {
    const { tokenizer } = variant;
    if (!tokenizer) return { variant };
    return { variant, tokenizer: halved.get(variant) ?? tokenizerEdge(variant, nodes) };
  });
  const cells = [
    ...rows.flatMap((row) => evaluationCells(row, nodes)),
    ...rows.flatMap((row) => downstreamCells(row, experiment.seeds, nodes)),
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
    };
    nodes.addReport(tableOf(report));
  }
  return {
    experiment: experiment.name,
    baseline,
    variants: names,
    stages: nodes.all(),
    aliases: nodes.aliases(),
    cells,
  };
}

function tokenizerEdge(variant: Variant, nodes: Nodes): StageEdge {
  const { name, component } = variant.tokenizer!;
  const id = `tokenizer/${name}${tagOf(variant, [`tokenizers.${name}`])}`;
  return nodes.edge(component, { id, data: variant.data });
}

function evaluationCells({ variant, tokenizer }: Row, nodes: Nodes): Cell[] {
  const { evaluation } = variant;
  if (!evaluation || !tokenizer) return [];
  const { name } = variant.tokenizer!;
  const id = `evaluation/${name}${tagOf(variant, [`tokenizers.${name}`, 'evaluation'])}`;
  const stage = nodes.stage(evaluation, { id, data: variant.data, wired: { tokenizer } });
  return [{ variant: variant.name, task: 'tokenizer', seed: stage.seed, stage }];
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
      const id = `downstream/${name}${tag}/${task}/seed-${seed}`;
      const stage = nodes.stage(component, { id, seed, data: variant.data, wired });
      return [{ variant: variant.name, task, seed, stage }];
    });
  });
}

function pretrainedBy(
  { variant, tokenizer }: Row,
  own: readonly string[],
  seed: number,
  nodes: Nodes,
): Edges {
  const { pretraining, data } = variant;
  if (!tokenizer || !pretraining) return {};
  const id = `pretraining/${variant.tokenizer!.name}/${pretraining.name}${tagOf(variant, own)}/seed-${seed}`;
  return { pretrained: nodes.edge(pretraining.component, { id, seed, data, wired: { tokenizer } }) };
}

/** The node with an id, or that one which means the same. @throws PecoError `unknown-stage` with near ids */
export function findStage(graph: StageGraph, id: string): StageNode {
  const found = graph.stages.find((node) => node.id === id);
  const same = found ?? graph.aliases.get(id);
  if (same) return same;
  const hint = suggest(id, [...graph.stages.map((node) => node.id), ...graph.aliases.keys()]);
  throw new PecoError(`the experiment has no stage "${id}"`, {
    code: 'unknown-stage',
    ...(hint === undefined ? {} : { hint }),
  });
}
