import type { Experiment } from '../experiment/types.ts';
import type { Component } from '../stage/component.ts';
import { PecoError } from '../stage/errors.ts';
import { createNodes, type Nodes } from './nodes.ts';
import { tableOf } from './table.ts';
import type { Cell, StageEdge, StageGraph, StageNode } from './types.ts';

export { type MissingCell, withMissing } from './table.ts';

type Edges = { readonly [name: string]: StageEdge };

/** A row of the table. */
interface Variant {
  readonly name: string;
  readonly tokenizer?: { readonly name: string; readonly edge: StageEdge };
  /** Pretraining component and what its stages are called; absent for the scratch row. */
  readonly pretraining?: { readonly name: string; readonly component: Component };
}

/** The DAG of a valid experiment: roles decide the wiring, places that mean the same share one stage. */
export function resolveGraph(experiment: Experiment): StageGraph {
  const nodes = createNodes({
    train: { type: 'leaf', component: experiment.data.train, inputs: {} },
    test: { type: 'leaf', component: experiment.data.test, inputs: {} },
  });
  const variants = listVariants(experiment, nodes);
  const cells = [
    ...variants.flatMap((variant) => evaluationCells(experiment, variant, nodes)),
    ...variants.flatMap((variant) => downstreamCells(experiment, variant, nodes)),
  ];
  const names = variants.map((variant) => variant.name);
  const baseline = baselineOf(experiment);
  if (experiment.report) {
    const report = {
      component: experiment.report,
      experiment: experiment.name,
      baseline,
      variants: names,
      cells,
    };
    nodes.addReport(tableOf(report));
  }
  return { experiment: experiment.name, baseline, variants: names, stages: nodes.all(), cells };
}

function listVariants(experiment: Experiment, nodes: Nodes): Variant[] {
  const pretrainings = Object.entries(experiment.pretraining);
  const rows = Object.entries(experiment.tokenizers).flatMap(([name, component]) => {
    const edge = nodes.edge(component, { id: `tokenizer/${name}` });
    return pretrainings.map(([pretraining, part]) => ({
      name: rowName(experiment, name, pretraining),
      tokenizer: { name, edge },
      pretraining: { name: pretraining, component: part },
    }));
  });
  return experiment.scratch ? [{ name: 'scratch' }, ...rows] : rows;
}

function evaluationCells(experiment: Experiment, variant: Variant, nodes: Nodes): Cell[] {
  const { tokenizer } = variant;
  if (!experiment.evaluation || !tokenizer) return [];
  const stage = nodes.stage(experiment.evaluation, {
    id: `evaluation/${tokenizer.name}`,
    wired: { tokenizer: tokenizer.edge },
  });
  return [{ variant: variant.name, task: 'tokenizer', seed: stage.seed, stage }];
}

function downstreamCells(experiment: Experiment, variant: Variant, nodes: Nodes): Cell[] {
  const tasks = variant.pretraining ? experiment.downstream : (experiment.scratch?.downstream ?? {});
  return experiment.seeds.flatMap((seed) => {
    const wired = pretrainedBy(variant, seed, nodes);
    return Object.entries(tasks).flatMap(([task, component]) => {
      if (!component) return [];
      const stage = nodes.stage(component, {
        id: `downstream/${variant.name}/${task}/seed-${seed}`,
        seed,
        wired,
      });
      return [{ variant: variant.name, task, seed, stage }];
    });
  });
}

function pretrainedBy(variant: Variant, seed: number, nodes: Nodes): Edges {
  const { tokenizer, pretraining } = variant;
  if (!tokenizer || !pretraining) return {};
  const id = `pretraining/${tokenizer.name}/${pretraining.name}/seed-${seed}`;
  return {
    pretrained: nodes.edge(pretraining.component, { id, seed, wired: { tokenizer: tokenizer.edge } }),
  };
}

function rowName(experiment: Experiment, tokenizer: string, pretraining: string): string {
  return Object.keys(experiment.pretraining).length > 1 ? `${tokenizer}/${pretraining}` : tokenizer;
}

/** The baseline's row; where every tokenizer has several rows, that of the first pretraining. */
function baselineOf(experiment: Experiment): string {
  const { baseline } = experiment;
  if (baseline === 'scratch') return baseline;
  return rowName(experiment, baseline, Object.keys(experiment.pretraining)[0]!);
}

/** The node with an id. @throws PecoError `unknown-stage` with near ids */
export function findStage(graph: StageGraph, id: string): StageNode {
  const found = graph.stages.find((stage) => stage.id === id);
  if (found) return found;
  const hint = `stages: ${graph.stages.map((stage) => stage.id).join(', ')}`;
  throw new PecoError(`there is no stage ${id}`, { code: 'unknown-stage', hint });
}
