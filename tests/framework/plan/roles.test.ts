import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { z } from 'zod';
import type { Component } from '../../../framework/stage/component.ts';
import { component, defineComponent } from '../../../framework/stage/define.ts';
import { type Role, roles } from '../../../framework/stage/roles.ts';
import { repository } from '../../support/project.ts';

/** A role that isn't there: what a table might want to measure of a pretraining. */
const analysis = {
  plural: 'analyses',
  declared: { as: 'one', group: 'analysis' },
  inputs: { test: 'dataset', pretrained: 'pretraining' },
  seeds: 'inputs',
  id: 'analysis/{tokenizer}/{pretraining}{tag}',
  cells: 'pretraining',
} as const;

// All that reads the table is loaded after this.
Object.assign(roles, { analysis });
const { defineExperiment } = await import('../../../framework/experiment/define.ts');
const { product } = await import('../../../framework/experiment/changes/sweep.ts');
const { override } = await import('../../../framework/experiment/changes/override.ts');
const { resolveGraph } = await import('../../../framework/plan/graph.ts');

/** A component with a network in it if one is given. */
function make(role: string, config: { readonly seed?: number; readonly network?: Component } = {}): never {
  const schema = z.strictObject({
    seed: z.int().optional(),
    width: z.int().positive().default(1),
    network: component('network').optional(),
  });
  const construct = defineComponent({
    role: role as Role,
    kind: `a-${role}`,
    schema,
    ...(role === 'dataset' ? {} : { run: 'file:///stage.ts' }),
    load: 'file:///load.ts',
    inputs: (input) => ({ network: input.network as Component | undefined }),
  });
  return construct(config as z.input<typeof schema>) as never;
}

const tokenizer = make('tokenizer', { network: make('network') });
const parts = {
  name: 'roles',
  seeds: [3, 4],
  data: { train: make('dataset'), test: make('dataset') },
  tokenizers: { beit: tokenizer, peco: make('tokenizer', { seed: 9 }) },
  pretraining: { long: make('pretraining') },
  downstream: { probe: make('downstream') },
  evaluation: make('evaluation'),
  baseline: 'beit',
  report: make('report'),
} as const;

type Graph = ReturnType<typeof resolveGraph>;

/** Ids of the stages of a role, with the names of their inputs and the stages behind them. */
function stagesOf(graph: Graph, role: string): readonly string[] {
  const own = graph.stages.filter((node) => node.component.role === role);
  return own.map(({ id, inputs }) => {
    const named = Object.entries(inputs).map(
      ([name, edge]) => `${name}: ${edge.type === 'stage' ? edge.stage.id : edge.component.kind}`,
    );
    return `${id} (${named.join(', ')})`;
  });
}

test('each role has the ids, the inputs and the seeds of its row', (t) => {
  const scratch = { downstream: { probe: make('downstream') } } as const;
  const graph = resolveGraph(defineExperiment({ ...parts, scratch }) as never);
  const data = 'train: a-dataset, test: a-dataset';
  t.deepEqual(stagesOf(graph, 'dataset'), []);
  t.deepEqual(stagesOf(graph, 'network'), [
    'network/a-network/seed-3 (train: a-dataset)',
    'network/a-network/seed-4 (train: a-dataset)',
  ]);
  t.deepEqual(stagesOf(graph, 'tokenizer'), [
    'tokenizer/beit/seed-3 (train: a-dataset, network: network/a-network/seed-3)',
    'tokenizer/beit/seed-4 (train: a-dataset, network: network/a-network/seed-4)',
    'tokenizer/peco (train: a-dataset)',
  ]);
  t.deepEqual(stagesOf(graph, 'evaluation'), [
    `evaluation/beit/seed-3 (${data}, tokenizer: tokenizer/beit/seed-3)`,
    `evaluation/beit/seed-4 (${data}, tokenizer: tokenizer/beit/seed-4)`,
    `evaluation/peco (${data}, tokenizer: tokenizer/peco)`,
  ]);
  t.deepEqual(stagesOf(graph, 'pretraining'), [
    'pretraining/beit/long/seed-3 (train: a-dataset, tokenizer: tokenizer/beit/seed-3)',
    'pretraining/beit/long/seed-4 (train: a-dataset, tokenizer: tokenizer/beit/seed-4)',
    'pretraining/peco/long/seed-3 (train: a-dataset, tokenizer: tokenizer/peco)',
    'pretraining/peco/long/seed-4 (train: a-dataset, tokenizer: tokenizer/peco)',
  ]);
  t.deepEqual(stagesOf(graph, 'downstream'), [
    `downstream/scratch/probe/seed-3 (${data})`,
    `downstream/scratch/probe/seed-4 (${data})`,
    ...['beit', 'peco'].flatMap((name) =>
      [3, 4].map(
        (seed) =>
          `downstream/${name}/probe/seed-${seed} (${data}, pretrained: pretraining/${name}/long/seed-${seed})`,
      ),
    ),
  ]);
  const cells = graph.cells.map(({ variant, task, seed }) => `${variant}/${task}/${seed}`);
  t.deepEqual(cells, [
    ...['beit/tokenizer/3', 'beit/tokenizer/4', 'peco/tokenizer/9'],
    ...['scratch/probe/3', 'scratch/probe/4'],
    ...['beit/probe/3', 'beit/probe/4', 'peco/probe/3', 'peco/probe/4'],
  ]);
  const report = graph.stages.at(-1)!;
  t.is(report.id, 'report');
  t.deepEqual(Object.keys(report.inputs), cells);
});

test('a new role needs its row in the table and nothing else', (t) => {
  const declared = { ...parts, analysis: make('analysis'), sweep: product({ 'analysis.width': [1, 2] }) };
  const experiment = defineExperiment(declared as never) as never;
  t.deepEqual((experiment as { issues: unknown }).issues, []);
  const graph = resolveGraph(experiment);
  t.deepEqual(stagesOf(graph, 'analysis').slice(0, 3), [
    'analysis/beit/long@width=1/seed-3 (test: a-dataset, pretrained: pretraining/beit/long/seed-3)',
    'analysis/beit/long@width=1/seed-4 (test: a-dataset, pretrained: pretraining/beit/long/seed-4)',
    'analysis/beit/long@width=2/seed-3 (test: a-dataset, pretrained: pretraining/beit/long/seed-3)',
  ]);
  t.true(graph.cells.some(({ variant, task }) => variant === 'peco@width=2' && task === 'pretraining'));
  t.is(graph.stages.filter((node) => node.component.role === 'pretraining').length, 4);
});

test('the checks and messages of a new role come from its row too', (t) => {
  const issuesOf = (changed: object) =>
    (defineExperiment({ ...parts, ...changed } as never) as { issues: readonly object[] }).issues;
  t.deepEqual(issuesOf({ analysis: make('network') }), [
    { path: ['analysis'], message: 'expected an analysis, not the network "a-network"' },
  ]);
  t.deepEqual(issuesOf({ downstream: { pretraining: make('downstream') } }), [
    { path: ['downstream', 'pretraining'], message: 'this name is kept for the measures of pretrainings' },
  ]);
  t.like(issuesOf({ analyses: make('analysis') })[0], {
    message: 'unknown field',
    hint: 'did you mean "analysis"? one of: name, seeds, data, tokenizers, pretraining, downstream, evaluation, analysis, scratch, baseline, report, sweep, slurm',
  });
  const base = defineExperiment({ ...parts, analysis: make('analysis') } as never) as never;
  const changed = override(base, { 'analysis.width': 3 } as never) as { analysis: Component };
  t.is(changed.analysis.config.width, 3);
});

test('no file of the framework says the name of a role but the table, and types that describe fields', (t) => {
  // Types of what an experiment file may say, and the compiler's checks of it.
  const types = ['experiment/define.ts', 'experiment/types.ts', 'stage/roles.ts'];
  const names = Object.keys(roles).filter((role) => role !== 'analysis');
  const groups = ['tokenizers', 'scratch'];
  const said = new RegExp(
    `['"\`](${[...names, ...groups].join('|')})['"\`]|\\.(${groups.join('|')})\\b`,
    'g',
  );
  const folder = path.join(repository, 'framework');
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const found = files
    .filter((file) => file.endsWith('.ts') && !types.includes(file))
    .flatMap((file) => {
      const text = fs.readFileSync(path.join(folder, file), 'utf8');
      // A command may be called as a role is.
      const code = text.replaceAll(/\/\*.*?\*\/|\/\/[^\n]*|\.command\('\w+'\)/gs, '');
      return [...code.matchAll(said)].map(([word]) => `${file}: ${word}`);
    });
  t.deepEqual(found, []);
});
