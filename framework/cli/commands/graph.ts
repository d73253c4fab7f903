import type { Plan } from '../../plan/plan.ts';
import type { StageNode, StageStatus } from '../../plan/types.ts';
import { upstreamStages } from '../../plan/walk.ts';
import { type ExperimentFlags, prepareExperiment, warnOnStderr } from '../prepare.ts';
import { printText } from '../print.ts';

export interface GraphFlags extends ExperimentFlags {
  readonly format?: 'mermaid' | 'dot';
}

const colours: { readonly [status in StageStatus]: string } = {
  hit: '#d5e8d4',
  run: '#ffe6cc',
  maybe: '#fff2cc',
  unknown: '#f8cecc',
  dropped: '#e6e6e6',
};

/** `peco-exp graph FILE`: the DAG as text for mermaid or graphviz; colours say what would run. */
export async function graphCommand(file: string, flags: GraphFlags): Promise<number> {
  const { plan } = await prepareExperiment(file, flags, warnOnStderr);
  const lines = () => (flags.format === 'dot' ? formatDot(plan) : formatMermaid(plan));
  // As it is, whatever characters the terminal has: another program reads it.
  printText(`${flags.json ? JSON.stringify(describeGraph(plan)) : lines().join('\n')}\n`);
  return 0;
}

function describeGraph(plan: Plan) {
  return {
    experiment: plan.graph.experiment,
    stages: plan.stages.map(({ node, status }) => ({
      ...{ stage: node.id, kind: node.component.kind, seed: node.seed, status },
    })),
    edges: edgesOf(plan).map(([from, to, arrow]) => ({ from: from.id, to: to.id, arrow })),
  };
}

/** A flow chart: https://mermaid.js.org. Ids are numbered, since those of stages hold characters that mermaid reads. */
export function formatMermaid(plan: Plan): string[] {
  const names = numberNodes(plan);
  return [
    'flowchart LR',
    ...plan.stages.map(({ node, status }) => `  ${names.get(node)}["${escapeHtml(node.id)}"]:::${status}`),
    ...edgesOf(plan).map(
      ([from, to, arrow]) => `  ${names.get(from)} ${arrow === 'order' ? '-.->' : '-->'} ${names.get(to)}`,
    ),
    ...Object.entries(colours).map(([status, colour]) => `  classDef ${status} fill:${colour}`),
  ];
}

/** For graphviz: `peco-exp graph FILE --format dot | dot -Tsvg > graph.svg`. */
export function formatDot(plan: Plan): string[] {
  return [
    `digraph ${quote(plan.graph.experiment)} {`,
    '  rankdir=LR; node [shape=box, style=filled];',
    ...plan.stages.map(
      ({ node, status }) =>
        `  ${quote(node.id)} [fillcolor=${quote(colours[status])}, tooltip=${quote(status)}];`,
    ),
    ...edgesOf(plan).map(
      ([from, to, arrow]) =>
        `  ${quote(from.id)} -> ${quote(to.id)}${arrow === 'order' ? ' [style=dashed]' : ''};`,
    ),
    '}',
  ];
}

/** From, to, and whether the first is an input of the second or only has to come before it. */
function edgesOf(plan: Plan): [StageNode, StageNode, 'input' | 'order'][] {
  return plan.stages.flatMap(({ node }) =>
    upstreamStages(node).map((upstream): [StageNode, StageNode, 'input' | 'order'] => {
      const ordered = upstream === node.after?.previous || upstream === node.after?.selection;
      return [upstream, node, ordered ? 'order' : 'input'];
    }),
  );
}

function numberNodes(plan: Plan): Map<StageNode, string> {
  return new Map(plan.stages.map(({ node }, index) => [node, `n${index}`]));
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
