import { fileURLToPath } from 'node:url';
import test from 'ava';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import type { LoadOptions } from '../../../framework/experiment/types.ts';
import { resolveGraph } from '../../../framework/plan/graph.ts';
import type { StageGraph } from '../../../framework/plan/types.ts';
import { upstreamStages } from '../../../framework/plan/walk.ts';
import type { Project } from '../../support/project.ts';
import { createFakeProject, simulateRun } from '../../support/simulate.ts';

/** The fake experiment: rows scratch, pixel (the baseline), peco, shallow; two tasks, two seeds. */
async function graphOf(project: Project, sweep: string, options: Partial<LoadOptions> = {}) {
  if (sweep !== '') addSweep(project, sweep);
  const { experiment } = await loadExperiment('experiment.ts', { cwd: project.dir, ...options });
  return resolveGraph(experiment);
}

function addSweep(project: Project, sweep: string): void {
  const folder = fileURLToPath(new URL('../../../framework/experiment/changes/', import.meta.url));
  project.edit(
    'experiment.ts',
    'export default',
    `import { chain, product } from '${folder}sweep.ts';\nimport { successiveHalving } from '${folder}halving.ts';\nexport default`,
  );
  project.edit('experiment.ts', "baseline: 'pixel',", `baseline: 'pixel', sweep: ${sweep},`);
}

const count = (graph: StageGraph, kind: string) =>
  graph.stages.filter(({ id }) => id.startsWith(`${kind}/`)).length;

function baselines(graph: StageGraph): unknown {
  return (graph.stages.at(-1)!.component.config.table as { readonly baselineOf?: unknown }).baselineOf;
}

const sizes = `'tokenizers.peco.codebook.size': [64, 128]`;

test('points become rows named by the shortest ends of their paths, in the place of the row', async (t) => {
  const sweep = `product({ ${sizes}, 'tokenizers.peco.loss.perceptual.weight': [1, 2] })`;
  const { variants } = await graphOf(createFakeProject(t), sweep);
  t.deepEqual(variants, [
    'scratch',
    'pixel',
    'peco@size=64,weight=1',
    'peco@size=64,weight=2',
    'peco@size=128,weight=1',
    'peco@size=128,weight=2',
    'shallow',
  ]);
});

test('a name has as much of a path as tells it from the others of its row', async (t) => {
  const sweep = `product({
    'downstream.probe.steps': [10], 'downstream.finetune.steps': [20], 'pretraining.base.steps': [30],
    'tokenizers.peco.loss.perceptual.network.steps': [40], 'scratch.downstream.finetune.steps': [50],
  })`;
  t.deepEqual((await graphOf(createFakeProject(t), sweep)).variants, [
    'scratch@steps=50',
    'pixel@probe.steps=10,finetune.steps=20,base.steps=30',
    'peco@probe.steps=10,finetune.steps=20,base.steps=30,network.steps=40',
    'shallow@probe.steps=10,finetune.steps=20,base.steps=30',
  ]);
});

test('values that are long or alike still make different, plain names', async (t) => {
  const sweep = `product({ 'tokenizers.peco.loss.perceptual.layers': [
    ['relu1_2'], ['relu1_2', 'relu2_2'], ['relu1_2', 'relu2_2', 'relu3_3', 'relu1_2'],
    ['relu1_2', 'relu2_2', 'relu3_3', 'relu1_2', 'relu2_2'] ] })`;
  const graph = await graphOf(createFakeProject(t), sweep);
  t.deepEqual(graph.variants.slice(2, 6), [
    'peco@layers=relu1_2',
    'peco@layers=relu1_2-relu2_2',
    'peco@layers=relu1_2-relu2_2-relu3_3-relu1_2',
    'peco@layers=relu1_2-relu2_2-relu3_3-relu1_2~2',
  ]);
  t.is(new Set(graph.stages.map(({ id }) => id)).size, graph.stages.length);
  t.is(count(graph, 'tokenizer'), 5 * 2, 'the first of them is what the row shallow has');
});

test('a field of one tokenizer makes stages of that row only; all others are there once', async (t) => {
  const graph = await graphOf(createFakeProject(t), `product({ ${sizes} })`);
  // Two seeds each of: a network; pixel, shallow and two of peco; their evaluations, pretrainings, tasks; scratch.
  t.is(count(graph, 'network'), 2);
  t.is(count(graph, 'tokenizer'), 4 * 2);
  t.is(count(graph, 'evaluation'), 4 * 2);
  t.is(count(graph, 'pretraining'), 4 * 2);
  t.is(count(graph, 'downstream'), 4 * 2 * 2 + 2);
  t.is(graph.stages.length, 2 + 8 + 8 + 8 + 18 + 1);
  t.is(baselines(graph), undefined, 'pixel is not concerned');
});

test('a field of a task shares everything above it', async (t) => {
  const graph = await graphOf(createFakeProject(t), `product({ 'downstream.probe.labels': [10, 20, 30] })`);
  t.is(count(graph, 'tokenizer'), 3 * 2);
  t.is(count(graph, 'pretraining'), 3 * 2);
  // Per row and seed one fine-tuning, shared by the points, and three probes.
  t.is(count(graph, 'downstream'), 3 * 2 * (1 + 3) + 2);
  t.true(graph.stages.some(({ id }) => id === 'downstream/peco/finetune/seed-0'));
  t.true(graph.stages.some(({ id }) => id === 'downstream/peco@labels=20/probe/seed-0'));
  t.is(graph.cells.length, 3 * 3 * 2 * (1 + 2) + 2, 'every row has all its cells');
});

test('a field of a pretraining concerns its rows, a field of the data all', async (t) => {
  const project = createFakeProject(t);
  project.write({ 'parts/data/more.bin': 'more images' });
  project.edit(
    'experiment.ts',
    'base: mim({ steps: 1000 })',
    'base: mim({ steps: 1000 }), long: mim({ steps: 9 })',
  );
  const graph = await graphOf(project, '', { sweep: ['pretraining.long.maskRatio=0.5,0.6'] });
  t.deepEqual(graph.variants.slice(0, 4), [
    'scratch',
    'pixel/base',
    'pixel/long@maskRatio=0.5',
    'pixel/long@maskRatio=0.6',
  ]);
  t.is(count(graph, 'tokenizer'), 3 * 2);
  const images = await graphOf(project, '', {
    sweep: ['data.train.file=parts/data/train.bin,parts/data/more.bin'],
  });
  t.is(images.variants.length, 2 * (1 + 3 * 2));
  t.is(images.variants[0], 'scratch@file=parts-data-train.bin');
  t.is(count(images, 'network'), 2 * 2);
  t.is(count(images, 'tokenizer'), 6 * 2);
});

test('where a sweep changes the baseline, rows are compared with that of their point', async (t) => {
  const labels = await graphOf(createFakeProject(t), `product({ 'downstream.probe.labels': [10, 20] })`);
  t.deepEqual(baselines(labels), {
    scratch: null,
    'pixel@labels=10': 'pixel@labels=10',
    'pixel@labels=20': 'pixel@labels=20',
    'peco@labels=10': 'pixel@labels=10',
    'peco@labels=20': 'pixel@labels=20',
    'shallow@labels=10': 'pixel@labels=10',
    'shallow@labels=20': 'pixel@labels=20',
  });
  const both = `chain({ 'tokenizers.pixel.codebook.size': [8] }, { ${sizes} })`;
  t.deepEqual(baselines(await graphOf(createFakeProject(t), both)), {
    scratch: null,
    'pixel@size=8': 'pixel@size=8',
    pixel: 'pixel',
    peco: 'pixel@size=8',
    'peco@size=64': 'pixel',
    'peco@size=128': 'pixel',
    shallow: null,
  });
});

test('points that look the same for a row are one row of it', async (t) => {
  const sweep = `chain(product({ ${sizes} }), product({ 'tokenizers.peco.codebook.size': [128, 256] }))`;
  const { variants } = await graphOf(createFakeProject(t), sweep);
  t.deepEqual(variants, ['scratch', 'pixel', 'peco@size=64', 'peco@size=128', 'peco@size=256', 'shallow']);
});

test('another point reruns no stage of the points before it', async (t) => {
  const project = createFakeProject(t);
  addSweep(project, `product({ ${sizes} })`);
  await simulateRun(project);
  project.edit('experiment.ts', '[64, 128]', '[32, 64, 128]');
  const ran = await simulateRun(project);
  t.true(
    ran.every((id) => id.includes('@size=32') || id === 'report'),
    ran.join(' '),
  );
  t.is(ran.length, 2 * (1 + 1 + 1 + 2) + 1);
});

test('without a sweep nothing in the report tells of sweeps', async (t) => {
  const graph = await graphOf(createFakeProject(t), '');
  const { table } = graph.stages.at(-1)!.component.config;
  t.deepEqual(Object.keys(table as object), ['experiment', 'baseline', 'variants', 'cells', 'missing']);
});

const tokenizerWithSteps = (project: Project) => {
  project.edit('parts/tokenizer/config.ts', 'stride:', 'steps: z.int().default(40), stride:');
  project.edit('parts/tokenizer/config.ts', "kind: 'vqvae',", "kind: 'vqvae', steps: 'steps',");
};
const nine = `'tokenizers.peco.codebook.size': [1, 2, 3, 4, 5, 6, 7, 8, 9]`;

test('a halved sweep has a stage and an evaluation a rung, each going on from the one before', async (t) => {
  const project = createFakeProject(t);
  tokenizerWithSteps(project);
  const halving = `successiveHalving(product({ ${nine} }), { metric: 'psnr', rungs: [10, 20, 40] })`;
  const graph = await graphOf(project, halving);
  t.is(count(graph, 'tokenizer'), (2 + 9 * 3) * 2);
  t.is(count(graph, 'evaluation'), (2 + 9 * 3) * 2);
  t.is(count(graph, 'pretraining'), (2 + 9) * 2);
  const stage = (id: string) => graph.stages.find((one) => one.id === id)!;
  const rungs = ['/rung-1', '/rung-2', ''].map((rung) => stage(`tokenizer/peco@size=5${rung}/seed-1`));
  t.deepEqual(
    rungs.map(({ until }) => until),
    [10, 20, undefined],
  );
  t.deepEqual(
    rungs.map(({ after }) => after?.previous),
    [undefined, rungs[0], rungs[1]],
  );
  t.deepEqual(
    rungs.map(({ after }) => after && [after.selection.id, after.point]),
    [undefined, ['selection/peco/rung-1', 4], ['selection/peco/rung-2', 4]],
  );
  const selections = [1, 2].map((rung) => stage(`selection/peco/rung-${rung}`));
  t.deepEqual(
    selections.map(({ rung, component }) => [rung, component.config]),
    [
      [
        { number: 1, of: 3, points: 9, survivors: 3 },
        { metric: 'psnr', better: 'higher', survivors: 3 },
      ],
      [
        { number: 2, of: 3, points: 3, survivors: 1, previous: selections[0] },
        { metric: 'psnr', better: 'higher', survivors: 1 },
      ],
    ],
  );
  for (const [index, { inputs }] of selections.entries()) {
    t.is(Object.keys(inputs).length, 9 * 2);
    const measures = [0, 1].map((seed) => inputs[`4/${seed}`]);
    t.deepEqual(
      measures.map((edge) => edge?.type === 'stage' && edge.stage.id),
      [0, 1].map((seed) => `evaluation/peco@size=5/rung-${index + 1}/seed-${seed}`),
    );
  }
  const order = new Map(graph.stages.map((one, index) => [one, index]));
  for (const node of graph.stages)
    for (const needed of upstreamStages(node)) t.true(order.get(needed)! < order.get(node)!);
});

test('the end of a halved training is the same result as that of one that was not halved', async (t) => {
  const project = createFakeProject(t);
  tokenizerWithSteps(project);
  addSweep(project, `product({ ${nine} })`);
  await simulateRun(project);
  project.edit(
    'experiment.ts',
    `product({ ${nine} })`,
    `successiveHalving(product({ ${nine} }), { metric: 'psnr', rungs: [10, 20, 40] })`,
  );
  const rung = /^(tokenizer|evaluation)\/peco@size=\d\/rung-[12]\/seed-[01]$/;
  const selection = 'selection/peco/rung-';
  const ran = await simulateRun(project);
  const stages = ran.filter((id) => !id.startsWith(selection));
  t.deepEqual([stages.length, ran.length], [9 * 2 * 2 * 2, 9 * 2 * 2 * 2 + 2]);
  t.true(stages.every((id) => rung.test(id)));
  project.edit('experiment.ts', '[10, 20, 40]', '[20, 40]');
  const again = (await simulateRun(project)).filter((id) => !id.startsWith(selection));
  t.deepEqual(again, [], 'nor is a rung another one because of where it goes on from');
});

test('the example of a halved sweep fits the components, and its baseline is not concerned', async (t) => {
  const cwd = fileURLToPath(new URL('../../..', import.meta.url));
  const { experiment } = await loadExperiment('experiments/codebook-sweep.ts', { cwd });
  const graph = resolveGraph(experiment);
  // Three rungs of nine points, and beit.
  t.is(count(graph, 'tokenizer'), 3 * 9 + 1);
  t.is(graph.variants.length, 1 + 1 + 9);
  t.is(baselines(graph), undefined);
});
