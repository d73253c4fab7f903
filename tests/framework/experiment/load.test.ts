import { fileURLToPath, pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import type { LoadOptions } from '../../../framework/experiment/types.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { type Project, portable } from '../../support/project.ts';
import { createFakeProject } from '../../support/simulate.ts';

function load(project: Project, options: Partial<LoadOptions> = {}) {
  return loadExperiment('experiment.ts', { cwd: project.dir, ...options });
}

async function messageOf(
  t: ExecutionContext,
  project: Project,
  options: Partial<LoadOptions> = {},
): Promise<string> {
  const error = await t.throwsAsync(load(project, options));
  return portable(formatError(error), project);
}

test('a valid experiment is loaded with all the project files it is made of', async (t) => {
  const project = createFakeProject(t);
  const { experiment, sources, overrides } = await load(project);
  t.is(experiment.name, 'fake');
  t.deepEqual(Object.keys(experiment.tokenizers), ['pixel', 'peco', 'shallow']);
  t.deepEqual(experiment.issues, []);
  const own = sources
    .filter((file) => file.startsWith(project.dir))
    .map((file) => file.slice(project.dir.length + 1));
  t.deepEqual(own, [
    'experiment.ts',
    ...['data', 'downstream', 'evaluation', 'network', 'pretraining', 'report', 'tokenizer'].map(
      (part) => `parts/${part}/config.ts`,
    ),
  ]);
  t.deepEqual(overrides, []);
});

test('a component has its defaults, its nested components as inputs, and the address of its own stage', async (t) => {
  const project = createFakeProject(t);
  const { peco } = (await load(project)).experiment.tokenizers;
  t.deepEqual(peco!.config, {
    stride: 8,
    codebook: { size: 256, dim: 32, decay: 0.99 },
    loss: { pixel: 1, perceptual: { network: 'vgg', layers: ['relu2_2'], weight: 1 } },
  });
  t.deepEqual(peco!.inputs.network!.config, { width: 16, steps: 100 });
  t.is(peco!.implementation.run, pathToFileURL(project.file('parts/tokenizer/stage.ts')).href);
});

test('an edit is seen by the next load, an unchanged file is not bundled again', async (t) => {
  const project = createFakeProject(t);
  await load(project);
  project.edit('experiment.ts', "name: 'fake'", "name: 'edited'");
  t.is((await load(project)).experiment.name, 'edited');
  project.edit('parts/network/config.ts', 'default(32)', 'default(64)');
  project.edit('experiment.ts', 'vgg({ width: 16 });', 'vgg({});');
  t.is((await load(project)).experiment.tokenizers.peco!.inputs.network!.config.width, 64);
});

test('all errors are listed at once, with place, value and hint', async (t) => {
  const project = createFakeProject(t);
  project.edit('experiment.ts', 'seeds: [0, 1],', 'seeds: [0, 0],\n  swep: {},');
  project.edit(
    'experiment.ts',
    'const codebook = { size: 256, dim: 32 };',
    "const codebook = {\n  sise: 256,\n  dim: '32',\n};",
  );
  project.edit(
    'experiment.ts',
    "layers: ['relu2_2'], weight: 1",
    "layers: ['relu2_2', 'relu9_9'], weight: -1",
  );
  project.edit('experiment.ts', "baseline: 'pixel'", "baseline: 'pixle'");
  project.edit('experiment.ts', 'classify({ labels: 2000, steps: 3000 })', 'classify({})');
  project.edit(
    'experiment.ts',
    'scratch: { downstream: {',
    'scratch: { downstream: { fintune: classify({ labels: 1 }),',
  );
  t.snapshot(await messageOf(t, project));
});

test('layers are checked against the network that was chosen', async (t) => {
  const project = createFakeProject(t);
  project.edit('experiment.ts', "layers: ['relu2_2']", "layers: ['relu2_2', 'relu9_9']");
  t.snapshot(await messageOf(t, project));
});

test('a component in a place for another is named', async (t) => {
  const project = createFakeProject(t);
  project.edit(
    'experiment.ts',
    'pretraining: { base: mim({ steps: 1000 }) }',
    'pretraining: { base: measures({}) }',
  );
  project.edit('experiment.ts', 'evaluation: measures({})', 'evaluation: { images: 3 }');
  project.edit('experiment.ts', 'perceptual: { network, layers', "perceptual: { network: 'vgg', layers");
  t.snapshot(await messageOf(t, project));
});

test('a nested component tells its own errors, once for all its uses', async (t) => {
  const project = createFakeProject(t);
  project.edit(
    'experiment.ts',
    'const network = vgg({ width: 16 });',
    'const network = vgg({\n  width: 1.5,\n});',
  );
  project.edit('experiment.ts', 'network: vgg({ width: 16 })', 'network');
  t.snapshot(await messageOf(t, project));
});

test('fields are found through spreads, members of constants and other files', async (t) => {
  const project = createFakeProject(t);
  project.write({
    'shared.ts':
      'export const sizes = {\n  big: { size: 0.5, dim: 32 },\n};\nexport const common = {\n  stride: 5,\n};\n',
  });
  project.edit(
    'experiment.ts',
    'const codebook = { size: 256, dim: 32 };',
    "import { common, sizes } from './shared.ts';\nconst codebook = sizes.big;",
  );
  project.edit(
    'experiment.ts',
    'pixel: vqvae({ codebook, loss: { pixel: 1 } })',
    'pixel: vqvae({ ...common, codebook, loss: { pixel: 1 } } as never)',
  );
  project.edit(
    'experiment.ts',
    'downstream: { finetune: classify({ labels: 2000 })',
    'downstream: { finetune: classify({ labels: 2000, ...{ steps: 0 } })',
  );
  t.snapshot(await messageOf(t, project));
});

test('the error of an experiment without rows, tasks or seeds names what it lacks', async (t) => {
  const project = createFakeProject(t);
  project.write({
    'experiment.ts':
      `import { defineExperiment } from '${'<repository>'}';`.replace(/.*/, (line) =>
        line.replace(
          '<repository>',
          fileURLToPath(new URL('../../../framework/experiment/define.ts', import.meta.url)),
        ),
      ) +
      "\nexport default defineExperiment({\n  name: 'empty one',\n  seeds: [],\n  tokenizers: {},\n  baseline: 'scratch',\n} as never);\n",
  });
  t.snapshot(await messageOf(t, project));
});

test('a syntax error has its place', async (t) => {
  const project = createFakeProject(t);
  project.edit('experiment.ts', "name: 'fake',", "name: 'fake'");
  t.snapshot(await messageOf(t, project));
});

test('an import that leads nowhere has its place', async (t) => {
  const project = createFakeProject(t);
  project.edit('experiment.ts', './parts/network/config.ts', './parts/netwrok/config.ts');
  t.snapshot(await messageOf(t, project));
});

test('an error thrown by the file itself has its place in the source', async (t) => {
  const project = createFakeProject(t);
  project.edit(
    'experiment.ts',
    'export default',
    '\n(undefined as never as { size(): void }).size();\n\nexport default',
  );
  t.snapshot(await messageOf(t, project));
});

test('the error of a file that ends the process has its place', async (t) => {
  const project = createFakeProject(t);
  project.edit('experiment.ts', 'export default', '\nprocess.exit(3);\n\nexport default');
  t.regex(
    await messageOf(t, project),
    /can't be evaluated: it ends the process by process\.exit\(3\)\n {2}at /,
  );
});

test('errors of files of data that are not there name the place of their component', async (t) => {
  const project = createFakeProject(t);
  project.edit('experiment.ts', 'parts/data/train.bin', 'parts/data/none.bin');
  t.snapshot(await messageOf(t, project));
});

test('a file without an experiment says what to write', async (t) => {
  const project = createFakeProject(t);
  project.edit('experiment.ts', 'export default', 'export const it =');
  t.snapshot(await messageOf(t, project));
  project.write({ 'experiment.ts': 'export default { name: "plain" };' });
  t.snapshot(await messageOf(t, project));
});

test('the error of a file that is not there has a near name', async (t) => {
  const project = createFakeProject(t);
  const error = await t.throwsAsync(loadExperiment('experimnt.ts', { cwd: project.dir }));
  t.snapshot(formatError(error));
});

test('--set changes a field, also one that has its default and one inside a nested component', async (t) => {
  const project = createFakeProject(t);
  const set = [
    'tokenizers.peco.codebook.decay=0.5',
    'tokenizers.peco.loss.perceptual.network.width=8',
    'tokenizers.peco.loss.perceptual.layers=["relu1_2"]',
    'tokenizers.peco.loss.perceptual.layers.1=relu3_3',
    'name=other',
  ];
  const { experiment, overrides } = await load(project, { set, seeds: [7] });
  t.is(experiment.name, 'other');
  t.deepEqual(experiment.seeds, [7]);
  const { peco, pixel } = experiment.tokenizers;
  t.like(peco!.config, {
    codebook: { size: 256, decay: 0.5 },
    loss: { perceptual: { layers: ['relu1_2', 'relu3_3'] } },
  });
  t.like(pixel!.config, { codebook: { decay: 0.99 } });
  t.is(peco!.inputs.network!.config.width, 8);
  t.deepEqual(overrides, [
    { path: 'tokenizers.peco.codebook.decay', from: 0.99, to: 0.5 },
    { path: 'tokenizers.peco.loss.perceptual.network.width', from: 16, to: 8 },
    { path: 'tokenizers.peco.loss.perceptual.layers', from: ['relu2_2'], to: ['relu1_2'] },
    { path: 'tokenizers.peco.loss.perceptual.layers.1', from: null, to: 'relu3_3' },
    { path: 'name', from: 'fake', to: 'other' },
    { path: 'seeds', flag: 'seeds', from: [0, 1], to: [7] },
  ]);
});

test('errors of a --set that leads nowhere or does not fit have near names', async (t) => {
  const project = createFakeProject(t);
  const set = [
    'tokenizers.pecco.codebook.size=1',
    'tokenizers.peco.codebook.sise=1',
    'tokenizers.peco.codebook.size=big',
    'tokenizers.peco.loss.perceptual.layers.0=relu1_1',
    'tokenisers.peco.codebook.size=1',
    'tokenizers.peco={}',
    'tokenizers.peco.codebook.size',
    'baseline=peko',
  ];
  t.snapshot(await messageOf(t, project, { set, seeds: [-1] }));
});

test('values that are no JSON are errors like others', async (t) => {
  const project = createFakeProject(t);
  project.edit(
    'experiment.ts',
    'const codebook = { size: 256, dim: 32 };',
    'const circle: { dim?: unknown } = {};\ncircle.dim = circle;\nconst codebook = { size: 256n, dim: circle } as never;',
  );
  project.edit('experiment.ts', "baseline: 'pixel'", "baseline: Symbol('pixel') as never");
  t.snapshot(await messageOf(t, project));
});

test('how lists, strings and objects are written in a shell is in the hint', async (t) => {
  const project = createFakeProject(t);
  const layers = 'tokenizers.peco.loss.perceptual.layers';
  const told = async (options: Partial<LoadOptions>) => messageOf(t, project, options);
  for (const list of ['relu2_2', 'relu1_2,relu2_2', '[relu1_2, relu2_2]', "['relu1_2']", '3', '{}', "it's"])
    t.snapshot(await told({ set: [`${layers}=${list}`] }), `layers=${list}`);
  t.snapshot(
    await told({ set: ['name=12', 'seeds=1,2', 'tokenizers.peco.codebook=big', 'data.train.file=true'] }),
  );
  t.snapshot(await told({ sweep: [`${layers}=relu1_2,relu2_2`] }), '--sweep');
  t.snapshot(await told({ set: ['tokenizers.peco.stride=5', 'tokenizers.pixel.stride="8"'] }), 'choices');
});

test('--set inside of what is no object, or not there, is to blame for what it makes of it', async (t) => {
  const project = createFakeProject(t);
  const set = [
    'tokenizers.peco.config.weight=2',
    'tokenizers.peco.codebook.size.much=1',
    'tokenizers.peco.loss.perceptual.network.config.width=8',
    'seeds.first=1',
  ];
  t.snapshot(await messageOf(t, project, { set }));
});

test('errors in the file around a field that --set writes have their place', async (t) => {
  const project = createFakeProject(t);
  project.edit('experiment.ts', 'pixel: vqvae({ codebook,', 'pixel: vqvae({ codebok: codebook,');
  t.snapshot(await messageOf(t, project, { set: ['tokenizers.pixel.codebok.size=512'] }));
});

test('an experiment outside any installation gets the peco-exp that runs it', async (t) => {
  const project = createFakeProject(t);
  project.edit('experiment.ts', /from '[^']*define.ts'/, "from 'peco-exp'");
  t.is((await load(project)).experiment.name, 'fake');
});
