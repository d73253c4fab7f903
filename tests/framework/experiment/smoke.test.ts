import test, { type ExecutionContext } from 'ava';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import type { LoadOptions } from '../../../framework/experiment/types.ts';
import { listVariants } from '../../../framework/experiment/variants.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { type Project, portable, repository } from '../../support/project.ts';
import { createFakeProject, loadGraph } from '../../support/simulate.ts';

/** The fake experiment, whose components but the evaluation and the tasks say how small they can be. */
function createProject(t: ExecutionContext): Project {
  const project = createFakeProject(t);
  const add = (file: string, before: string, text: string) =>
    project.edit(`parts/${file}/config.ts`, before, `${text}\n  ${before}`);
  add(
    'data',
    'files: (',
    "smoke: (_config, { member }) => ({ file: 'parts/data/test.bin', channels: member === 'test' ? 3 : 2 }), provides: ({ file }) => ({ file }),",
  );
  add('network', "offers: ['relu1", 'smoke: () => ({ width: 1, steps: undefined }),');
  add(
    'tokenizer',
    'inputs: (input)',
    `steps: 'steps', provides: ({ codebook }) => ({ codes: codebook.size }),
  smoke: ({ codebook, steps }, { inputs }) => ({
    steps: Math.min(steps, 2),
    codebook: { size: Math.min(codebook.size, 16), decay: undefined, dim: inputs.network ? 2 : 1 },
  }),`,
  );
  project.edit('parts/tokenizer/config.ts', 'stride:', 'steps: z.int().positive().default(90),\n  stride:');
  add(
    'pretraining',
    'schema: z',
    `smoke: ({ steps }, { inputs: { train, tokenizer } }) => {
      const seen = [train?.facts.file, train?.smoke.file, tokenizer?.facts.codes, tokenizer?.smoke.codes];
      return { steps: Math.min(steps, seen.join() === 'parts/data/train.bin,parts/data/test.bin,256,16' ? 3 : 99) };
    },`,
  );
  return project;
}

function load(project: Project, options: Partial<LoadOptions> = {}) {
  return loadExperiment('experiment.ts', { cwd: project.dir, smoke: true, ...options });
}

async function refusal(project: Project, options: Partial<LoadOptions> = {}): Promise<string> {
  const message = await load(project, options).then(
    () => 'valid',
    (error: unknown) => formatError(error),
  );
  return portable(message, project);
}

function sweep(project: Project, text: string): void {
  project.edit('experiment.ts', "baseline: 'pixel',", `baseline: 'pixel',\n  sweep: ${text},`);
  const changes = `${repository}/framework/experiment/changes`;
  project.edit(
    'experiment.ts',
    'import {',
    `import { successiveHalving } from '${changes}/halving.ts';\nimport { product } from '${changes}/sweep.ts';\nimport {`,
  );
}

test('every component is as small as it says, nested ones too; those that say nothing stay and are named', async (t) => {
  const { experiment, smoke, changes } = await load(createProject(t));
  t.deepEqual(experiment.seeds, [0]);
  t.deepEqual(changes, [{ by: 'smoke', path: 'smoke', to: true }]);
  const { data, tokenizers, pretraining, downstream } = experiment;
  t.deepEqual(data.train.config, { file: 'parts/data/test.bin', channels: 2 });
  // Data know as what they are declared.
  t.is(data.test.config.channels, 3);
  // Fields of a group one by one; one that is taken out has its default again.
  t.like(tokenizers.pixel!.config, { steps: 2, codebook: { size: 16, dim: 1, decay: 0.99 } });
  t.like(tokenizers.peco!.config, { codebook: { size: 16, dim: 2 } });
  t.like(tokenizers.peco!.inputs.network!.config, { width: 1, steps: 100 });
  // It saw what its inputs are at both sizes.
  t.is(pretraining.base!.config.steps, 3);
  t.is(downstream.probe!.config.labels, 5000);
  t.deepEqual(smoke?.unchanged.toSorted(), [
    'downstream.finetune',
    'downstream.probe',
    'evaluation',
    'scratch.downstream.finetune',
  ]);
});

test('flags change what is small already', async (t) => {
  const project = createProject(t);
  const { experiment, changes, overrides } = await load(project, {
    set: ['tokenizers.pixel.steps=5', 'tokenizers.pixel.codebook.size=64'],
    seeds: [3, 4],
  });
  t.like(experiment.tokenizers.pixel!.config, { steps: 5, codebook: { size: 64 } });
  t.deepEqual(experiment.seeds, [3, 4]);
  t.is(overrides[0]!.from, 2);
  t.deepEqual(
    changes.map(({ by }) => by),
    ['smoke', 'seeds', 'set', 'set'],
  );
});

test('points of a sweep are set at full size, and then become small; --set still has the last word', async (t) => {
  const project = createProject(t);
  sweep(
    project,
    "product({ 'tokenizers.pixel.codebook.size': [4, 1024], 'tokenizers.pixel.stride': [4, 8] })",
  );
  const { experiment } = await load(project, { set: ['tokenizers.pixel.steps=7'] });
  const rows = listVariants(experiment).filter(({ row }) => row === 'pixel');
  t.deepEqual(
    rows.map(({ parts }) => {
      const { steps, stride, codebook } = parts.find(({ role }) => role === 'tokenizer')!.component.config;
      return { steps, stride, codes: (codebook as { readonly size: number }).size };
    }),
    [
      { steps: 7, stride: 4, codes: 4 },
      { steps: 7, stride: 8, codes: 4 },
      { steps: 7, stride: 4, codes: 16 },
      { steps: 7, stride: 8, codes: 16 },
    ],
  );
});

test('a halving has a step for each of its rungs', async (t) => {
  const project = createProject(t);
  sweep(
    project,
    "successiveHalving(product({ 'tokenizers.pixel.codebook.size': [64, 1024] }), { metric: 'psnr', rungs: [20, 40, 80] })",
  );
  const { experiment } = await load(project);
  const { sweep: made } = experiment as unknown as { readonly sweep: { readonly halving: object } };
  t.deepEqual(made.halving, { metric: 'psnr', rungs: [1, 2, 3] });
  const steps = listVariants(experiment)
    .filter(({ row }) => row === 'pixel' || row === 'shallow')
    .map(({ row, parts }) => [row, parts.find(({ role }) => role === 'tokenizer')!.component.config.steps]);
  // The end of the training, 90, comes after the last rung. What isn't swept has the steps that it says.
  t.deepEqual(steps, [
    ['pixel', 4],
    ['pixel', 4],
    ['shallow', 2],
  ]);
});

test('a ladder of rungs becomes three, of which as many go on', async (t) => {
  const project = createProject(t);
  sweep(
    project,
    "successiveHalving(product({ 'tokenizers.pixel.codebook.size': [64, 1024] }), { metric: 'psnr', rungs: { first: 5, eta: 2 } })",
  );
  const { experiment } = await load(project);
  const { sweep: made } = experiment as unknown as { readonly sweep: { readonly halving: object } };
  t.deepEqual(made.halving, { metric: 'psnr', rungs: [1, 2], eta: 2 });
  t.is(experiment.tokenizers.pixel!.config.steps, 3);
});

test('what is wrong at full size is reported, although it would be right when small', async (t) => {
  const project = createProject(t);
  project.edit('experiment.ts', 'steps: 1000', 'steps: 1000, maskRatio: 2.5');
  project.edit('parts/pretraining/config.ts', 'maskRatio: z.number()', 'maskRatio: z.number().max(1)');
  project.edit('parts/pretraining/config.ts', 'return { steps:', 'return { maskRatio: 0.5, steps:');
  t.snapshot(await refusal(project));
});

test('data that is replaced need not be there', async (t) => {
  const project = createProject(t);
  project.remove('parts/data/train.bin');
  t.deepEqual((await load(project)).missing, []);
  t.snapshot(await refusal(project, { smoke: false }));
});

test('what does not fit when small is refused with its place', async (t) => {
  const project = createProject(t);
  project.edit('parts/pretraining/config.ts', '99)', '0)');
  project.edit('parts/pretraining/config.ts', '? 3 :', '? -3 :');
  t.snapshot(await refusal(project));
});

test('data sets of a task know as what it declares them, and win over those of the experiment', async (t) => {
  const project = createProject(t);
  project.edit(
    'parts/downstream/config.ts',
    'import { defineComponent }',
    'import { component, defineComponent }',
  );
  project.edit(
    'parts/downstream/config.ts',
    'z.strictObject({',
    "z.strictObject({ train: component('dataset').optional(), test: component('dataset').optional(),",
  );
  project.edit(
    'parts/downstream/config.ts',
    'run: new',
    'inputs: ({ train, test }) => ({ train, test }),\n  run: new',
  );
  project.edit(
    'experiment.ts',
    'probe: classify({',
    "probe: classify({ test: folder({ file: 'parts/data/train.bin' }),",
  );
  const { experiment } = await load(project);
  const { probe, finetune } = experiment.downstream;
  t.is(probe!.inputs.test!.config.channels, 3);
  t.deepEqual(Object.keys(finetune!.inputs), []);
  const { stages } = await loadGraph(project);
  const own = stages.find(({ id }) => id.startsWith('downstream/pixel') && id.includes('probe'))!;
  t.deepEqual(Object.keys(own.inputs).toSorted(), ['pretrained', 'test', 'train']);
  const { test: measured } = own.inputs;
  t.is(measured?.type === 'leaf' && measured.component.config.file, 'parts/data/train.bin');
});
