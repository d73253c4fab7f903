import test from 'ava';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import { fateOf } from '../../../framework/plan/fate.ts';
import { resolveGraph } from '../../../framework/plan/graph.ts';
import { findStages } from '../../../framework/plan/named.ts';
import type { StageEdge, StageGraph, StageNode } from '../../../framework/plan/types.ts';
import type { Project } from '../../support/project.ts';
import { createFakeProject } from '../../support/simulate.ts';

async function graphOf(project: Project) {
  const { experiment } = await loadExperiment('experiment.ts', { cwd: project.dir });
  return resolveGraph(experiment);
}

/** The only stage that a name means. */
function findStage(graph: StageGraph, name: string): StageNode {
  const [only, ...others] = findStages(graph, name);
  if (others.length > 0) throw new Error(`${name} is also ${others.map(({ id }) => id)}`);
  return only!;
}

function wiring(node: StageNode): { readonly [name: string]: string } {
  const name = (edge: StageEdge) => (edge.type === 'stage' ? edge.stage.id : `leaf ${edge.component.kind}`);
  return Object.fromEntries(Object.entries(node.inputs).map(([input, edge]) => [input, name(edge)]));
}

test('roles decide what a stage is given', async (t) => {
  const graph = await graphOf(createFakeProject(t));
  const given = (id: string) => wiring(findStage(graph, id));
  t.deepEqual(given('network/vgg/seed-1'), { train: 'leaf folder' });
  t.deepEqual(given('tokenizer/pixel/seed-1'), { train: 'leaf folder' });
  t.deepEqual(given('tokenizer/peco/seed-1'), { train: 'leaf folder', network: 'network/vgg/seed-1' });
  t.deepEqual(given('evaluation/peco/seed-1'), {
    train: 'leaf folder',
    test: 'leaf folder',
    tokenizer: 'tokenizer/peco/seed-1',
  });
  t.deepEqual(given('pretraining/peco/base/seed-1'), {
    train: 'leaf folder',
    tokenizer: 'tokenizer/peco/seed-1',
  });
  t.deepEqual(given('downstream/peco/probe/seed-1'), {
    train: 'leaf folder',
    test: 'leaf folder',
    pretrained: 'pretraining/peco/base/seed-1',
  });
  t.deepEqual(given('downstream/scratch/finetune/seed-1'), { train: 'leaf folder', test: 'leaf folder' });
});

test('networks that mean the same are one stage, however often they are written', async (t) => {
  const project = createFakeProject(t);
  const networks = async () =>
    (await graphOf(project)).stages.map(({ id }) => id).filter((id) => id.startsWith('network'));
  t.deepEqual(await networks(), ['network/vgg/seed-0', 'network/vgg/seed-1']);
  project.edit('experiment.ts', 'network: vgg({ width: 16 })', 'network: vgg({ width: 24 })');
  t.deepEqual(await networks(), [
    'network/vgg/seed-0',
    'network/vgg/seed-1',
    'network/vgg-2/seed-0',
    'network/vgg-2/seed-1',
  ]);
});

test('two rows with the same tokenizer share its stages and keep their cells', async (t) => {
  const project = createFakeProject(t);
  project.edit('experiment.ts', 'pixel: vqvae(', 'again: vqvae({ codebook, loss: {} }),\n    pixel: vqvae(');
  const graph = await graphOf(project);
  t.false(graph.stages.some(({ id }) => id.includes('pixel')));
  const stagesOf = (row: string) =>
    graph.cells.filter(({ variant }) => variant === row).map(({ stage }) => stage);
  t.is(stagesOf('pixel').length, 2 * 3);
  t.deepEqual(stagesOf('pixel'), stagesOf('again'));
  // Each answers to both names.
  t.is(findStage(graph, 'tokenizer/pixel/seed-0'), findStage(graph, 'tokenizer/again/seed-0'));
  t.deepEqual(findStages(graph, 'tokenizer/pixel'), findStages(graph, 'tokenizer/again'));
  t.is(findStage(graph, 'downstream/pixel/probe/seed-0'), findStage(graph, 'downstream/again/probe/seed-0'));
});

test('every stage comes after its inputs and the report is last', async (t) => {
  const { stages } = await graphOf(createFakeProject(t));
  const seen = new Set<StageNode>();
  for (const stage of stages) {
    for (const edge of Object.values(stage.inputs)) t.true(edge.type === 'leaf' || seen.has(edge.stage));
    seen.add(stage);
  }
  t.is(stages.at(-1)!.id, 'report');
  t.is(new Set(stages.map(({ id }) => id)).size, stages.length);
});

test('with several pretrainings there is a row for each, and the baseline is the first of its own', async (t) => {
  const project = createFakeProject(t);
  project.edit(
    'experiment.ts',
    'base: mim({ steps: 1000 })',
    'base: mim({ steps: 1000 }), long: mim({ steps: 9000 })',
  );
  const graph = await graphOf(project);
  t.deepEqual(graph.variants, [
    'scratch',
    ...['pixel', 'peco', 'shallow'].flatMap((name) => [`${name}/base`, `${name}/long`]),
  ]);
  t.is(graph.baseline, 'pixel/base');
  t.deepEqual(
    wiring(findStage(graph, 'downstream/peco/long/probe/seed-0')).pretrained,
    'pretraining/peco/long/base'.replace('/base', '/seed-0'),
  );
});

test('a component with nothing to run is a leaf', async (t) => {
  const project = createFakeProject(t);
  project.edit('parts/network/config.ts', "  run: new URL('./stage.ts', import.meta.url).href,\n", '');
  const graph = await graphOf(project);
  t.deepEqual(wiring(findStage(graph, 'tokenizer/peco/seed-0')), {
    train: 'leaf folder',
    network: 'leaf vgg',
  });
  t.false(graph.stages.some(({ id }) => id.startsWith('network')));
});

test('the report learns which input holds which cell', async (t) => {
  const graph = await graphOf(createFakeProject(t));
  const report = graph.stages.at(-1)!;
  t.snapshot(report.component.config);
  t.deepEqual(Object.keys(report.inputs).length, graph.cells.length);
  for (const { variant, task, seed, stage } of graph.cells) {
    t.is(wiring(report)[`${variant}/${task}/${seed}`], stage.id);
  }
});

test('a report without a cell says that it is missing and why', async (t) => {
  const graph = await graphOf(createFakeProject(t));
  const report = graph.stages.at(-1)!;
  const cell = { variant: 'peco', task: 'probe', seed: 1, reason: 'pretraining/peco/base/seed-1 failed' };
  const lost = findStage(graph, 'downstream/peco/probe/seed-1');
  const loss = { at: findStage(graph, 'pretraining/peco/base/seed-1') };
  const fate = fateOf(report, {
    lossOf: (node) => (node === lost ? loss : undefined),
    rankingOf: () => undefined,
  });
  const reduced = 'node' in fate ? fate.node : t.fail();
  t.truthy(reduced);
  if (!reduced) return;
  t.false('peco/probe/1' in reduced.inputs);
  t.is(Object.keys(reduced.inputs).length, Object.keys(report.inputs).length - 1);
  t.like(reduced.component.config, { title: 'fake', table: { missing: [cell] } });
  t.false(
    JSON.stringify((reduced.component.config.table as { cells: unknown }).cells).includes('peco/probe/1'),
  );
  t.true('peco/probe/1' in report.inputs, 'the report itself is not changed');
});
