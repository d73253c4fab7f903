import test, { type ExecutionContext } from 'ava';
import { override } from '../../../framework/experiment/changes/override.ts';
import { defineExperiment } from '../../../framework/experiment/define.ts';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import type { LoadOptions } from '../../../framework/experiment/types.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { type Project, portable, repository } from '../../support/project.ts';
import { createFakeProject } from '../../support/simulate.ts';
import { fake } from '../../support/typed-parts.ts';

const folder = JSON.stringify(`${repository}/framework/experiment/changes/`).slice(0, -1);
const head = `
import { defineExperiment } from ${JSON.stringify(`${repository}/framework/experiment/define.ts`)};
import { override } from ${folder}override.ts";
import { chain, product, zip } from ${folder}sweep.ts";
import { successiveHalving } from ${folder}halving.ts";
import base from './experiment.ts';
`;

function load(project: Project, text: string, options: Partial<LoadOptions> = {}) {
  project.write({ 'other.ts': head + text });
  return loadExperiment('other.ts', { cwd: project.dir, ...options });
}

async function messageOf(
  t: ExecutionContext,
  project: Project,
  text: string,
  options: Partial<LoadOptions> = {},
): Promise<string> {
  return portable(formatError(await t.throwsAsync(load(project, text, options))), project);
}

const base = defineExperiment({
  name: 'typed',
  seeds: [0],
  data: { train: fake('dataset'), test: fake('dataset') },
  tokenizers: { beit: fake('tokenizer'), peco: fake('tokenizer') },
  pretraining: { base: fake('pretraining') },
  downstream: { finetune: fake('downstream') },
  baseline: 'beit',
});

test('an experiment is spread into another, for the compiler too', (t) => {
  const tokenizers = { ...base.tokenizers, mine: fake('tokenizer') };
  const other = defineExperiment({ ...base, seeds: [0, 1, 2], tokenizers, baseline: 'mine' });
  t.deepEqual(other.issues, []);
  t.deepEqual(Object.keys(other.tokenizers), ['beit', 'peco', 'mine']);
  t.deepEqual(base.seeds as readonly number[], [0]);
  // @ts-expect-error: the names of the other experiment are known here
  t.is(defineExperiment({ ...base, tokenizers, baseline: 'minne' }).issues.length, 1);
  // @ts-expect-error: as are those of the first
  t.falsy(base.tokenizers.pecco);
});

test('what is wrong with an experiment is wrong with those that are made of it', (t) => {
  const seeds: number[] = [];
  const broken = defineExperiment({ ...base, seeds });
  t.is(defineExperiment({ ...broken, name: 'other' }).issues.length, 1);
  t.is(defineExperiment({ ...broken, seeds: [1] }).issues.length, 0);
});

test('override changes fields deep inside and leaves the base alone', async (t) => {
  const project = createFakeProject(t);
  const { experiment } = await load(
    project,
    `export default override(base, {
      'name': 'other',
      'tokenizers.peco.codebook.size': 512,
      'tokenizers.peco.loss.perceptual.network.width': 8,
    });`,
  );
  t.is(experiment.name, 'other');
  t.like(experiment.tokenizers.peco!.config, { codebook: { size: 512, dim: 32 } });
  t.is(experiment.tokenizers.peco!.inputs.network!.config.width, 8);
  const { experiment: first } = await loadExperiment('experiment.ts', { cwd: project.dir });
  t.like(first.tokenizers.peco!.config, { codebook: { size: 256 } });
});

test('override and spreads and --set go together', async (t) => {
  const project = createFakeProject(t);
  const { experiment } = await load(
    project,
    `const wide = override(base, { 'tokenizers.peco.codebook.size': 512 });
     const more = { ...wide.tokenizers, wide: wide.tokenizers.peco };
     export default override(defineExperiment({ ...wide, name: 'other', tokenizers: more }), { 'seeds': [3] });`,
    { set: ['tokenizers.wide.codebook.dim=8'] },
  );
  t.deepEqual(experiment.seeds, [3]);
  t.like(experiment.tokenizers.wide!.config, { codebook: { size: 512, dim: 8 } });
  t.like(experiment.tokenizers.peco!.config, { codebook: { size: 512, dim: 32 } });
});

test('loading names what is wrong with an override, and where it is written', async (t) => {
  const project = createFakeProject(t);
  const changes = `{
    'tokenizers.pecco.codebook.size': 512,
    'tokenizers.peco.codebook.sise': 512,
    'tokenizers.peco.codebook.dim': 'big',
    'tokenizers.pixel': {},
    'tokenisers.peco.codebook.dim': 1,
    'baseline': 'peko',
  }`;
  t.snapshot(await messageOf(t, project, `export default override(base, ${changes});`));
  const spread = `export default defineExperiment({\n  ...override(base, ${changes}),\n  name: 'x' });`;
  t.snapshot(await messageOf(t, project, spread));
});

test('override takes an experiment', (t) => {
  const error = t.throws(() => override({ ...base }, { name: 'x' }));
  t.snapshot(formatError(error));
});

test('points that do not fit are listed once each, with the value and the line', async (t) => {
  const project = createFakeProject(t);
  const text = `export default defineExperiment({
  ...base,
  sweep: product(
    {
      'tokenizers.peco.codebook.size': [256, 0, 512, -1],
      'tokenizers.pecco.codebook.size': [1],
    },
    zip({
      'tokenizers.peco.loss.perceptual.layers.0': ['relu1_2', 'relu9_9'],
      'pretraining.base.steps': [10, 'ten'],
    }),
    { 'seeds': [[0], [1]], 'downstream.probe': [{}], 'data.train': [1], 'report.title': ['a'], baseline: ['peco'] },
  ),
});`;
  t.snapshot(await messageOf(t, project, text));
});

test('errors of how a sweep is made are listed with all others', async (t) => {
  const project = createFakeProject(t);
  const sweeps = [
    `zip({ 'tokenizers.peco.codebook.size': [1, 2], 'tokenizers.peco.codebook.dim': [1] })`,
    `product({ 'tokenizers.peco.codebook.size': [] })`,
    `{ 'tokenizers.peco.codebook.size': [2] } as never`,
    `[] as const`,
    `[{ 'tokenizers.peco.codebook.size': Number.NaN }]`,
  ];
  for (const sweep of sweeps) {
    const text = `export default defineExperiment({\n  ...base,\n  seeds: [],\n  sweep: ${sweep},\n});`;
    t.snapshot(await messageOf(t, project, text), sweep);
  }
});

test('errors name what is wrong with a halving', async (t) => {
  const project = createFakeProject(t);
  const halve = (points: string, options: string) =>
    messageOf(
      t,
      project,
      `export default defineExperiment({ ...base, sweep: successiveHalving(product(${points}), ${options} as never) });`,
    );
  const good = "{ metric: 'psnr', rungs: [10, 20] }";
  t.snapshot(
    await halve(
      `{ 'tokenizers.peco.codebook.size': [2, 3] }`,
      "{ rungs: [20, 10], keep: 2, better: 'more' }",
    ),
  );
  t.snapshot(
    await halve(`{ 'tokenizers.peco.codebook.size': [2, 3], 'pretraining.base.steps': [1, 2] }`, good),
  );
  project.edit('parts/tokenizer/config.ts', 'stride:', 'steps: z.int().default(15), stride:');
  project.edit('parts/tokenizer/config.ts', "kind: 'vqvae',", "kind: 'vqvae', steps: 'steps',");
  t.snapshot(await halve(`{ 'tokenizers.peco.steps': [10, 15] }`, good));
  project.edit('experiment.ts', '  evaluation: measures({}),\n', '');
  t.snapshot(await halve(`{ 'tokenizers.peco.codebook.size': [2, 3] }`, good));
});

test('an option that successive halving does not have is an error, and so is a field of a sweep that cannot be set', async (t) => {
  const project = createFakeProject(t);
  project.edit('parts/tokenizer/config.ts', 'stride:', 'steps: z.int().default(15), stride:');
  project.edit('parts/tokenizer/config.ts', "kind: 'vqvae',", "kind: 'vqvae', steps: 'steps',");
  const halve = (options: string) => `export default defineExperiment({
  ...base,
  sweep: successiveHalving(product({ 'tokenizers.peco.codebook.size': [2, 3] }), ${options} as never),
});`;
  t.snapshot(
    await messageOf(t, project, halve("{ metric: 'psnr', rungs: [10], ketp: 0.5 }")),
    'a typing error',
  );
  t.snapshot(await messageOf(t, project, halve('null')), 'no options');
  const good = halve("{ metric: 'psnr', rungs: [10] }");
  for (const value of ['sweep.selection=x', 'sweep.halving=null', 'tokenizers.peco.codebook.x.y=1'])
    t.snapshot(await messageOf(t, project, good, { set: [value] }), value);
});

test('a halving that is replaced says nothing of the machine that it was made on', async (t) => {
  const project = createFakeProject(t);
  const text = `export default defineExperiment({
  ...base,
  sweep: successiveHalving(product({ 'tokenizers.peco.codebook.size': [2, 3] }), { metric: 'psnr', rungs: [10] }),
});`;
  const { changes } = await load(project, text, { set: ['sweep=[{}]'] });
  t.deepEqual(JSON.parse(JSON.stringify(changes)), [
    {
      by: 'set',
      path: 'sweep',
      from: {
        halving: { metric: 'psnr', rungs: [10] },
        points: [{ 'tokenizers.peco.codebook.size': 2 }, { 'tokenizers.peco.codebook.size': 3 }],
      },
      to: [{}],
    },
  ]);
});

test('a halving by a metric that the evaluation does not give is refused before anything runs', async (t) => {
  const project = createFakeProject(t);
  project.edit('parts/tokenizer/config.ts', 'stride:', 'steps: z.int().default(15), stride:');
  project.edit('parts/tokenizer/config.ts', "kind: 'vqvae',", "kind: 'vqvae', steps: 'steps',");
  const halve = (metric: string) => `export default defineExperiment({
  ...base,
  sweep: successiveHalving(product({ 'tokenizers.peco.codebook.size': [2, 3] }), {
    rungs: [10],
    metric: ${metric},
  }),
});`;
  await t.notThrowsAsync(load(project, halve("'psnrr'")), 'an evaluation that says nothing is believed');
  project.edit('parts/evaluation/config.ts', "kind: '", "offers: ['psnr', 'usage'], kind: '");
  await t.notThrowsAsync(load(project, halve("'psnr'")));
  t.snapshot(await messageOf(t, project, halve("'psnrr'")), 'a near name');
  t.snapshot(await messageOf(t, project, halve("'top1'")), 'another name');
  t.snapshot(await messageOf(t, project, halve("''")), 'no name');
});

test('--sweep takes JSON and text, multiplies, and names what does not fit', async (t) => {
  const project = createFakeProject(t);
  const text = `export default defineExperiment({ ...base, sweep: product({ 'pretraining.base.steps': [1, 2] }) });`;
  const sweep = [
    'tokenizers.peco.loss.perceptual.layers=["relu1_2"],["relu1_2","relu2_2"]',
    'downstream.probe.labels=10,20',
  ];
  const { experiment } = await load(project, text, { sweep });
  t.is((experiment.sweep as readonly unknown[]).length, 8);
  t.deepEqual((experiment.sweep as readonly unknown[])[7], {
    'pretraining.base.steps': 2,
    'tokenizers.peco.loss.perceptual.layers': ['relu1_2', 'relu2_2'],
    'downstream.probe.labels': 20,
  });
  const wrong = [
    'tokenizers.peco.codebook.size=0,1,-1,big',
    'tokenizers.peco.codebook.sise=1',
    'tokenizers.pecco.codebook.size=1',
    'pretraining.base.steps=',
    'nothing',
    'downstream.probe.labels=1',
    'downstream.probe.labels=2',
    'seeds=0,1',
  ];
  const set = ['downstream.probe.labels=3'];
  t.snapshot(await messageOf(t, project, text, { sweep: wrong, set }));
});
