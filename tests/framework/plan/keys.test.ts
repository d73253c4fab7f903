import fs from 'node:fs';
import test from 'ava';
import { type Project, repository } from '../../support/project.ts';
import { createFakeProject, createStoredProject, plan, simulateRun } from '../../support/simulate.ts';

const seeds = ['seed-0', 'seed-1'];
const addedFile = JSON.stringify(`${repository}/framework/stage/added.ts`);

/** A stage for each seed: of the network, of a row's tokenizer. */
const bySeed = (name: string): string[] => seeds.map((seed) => `${name}/${seed}`);

/** Stages of one row that come after its tokenizer. */
function afterTokenizer(row: string): string[] {
  return [
    ...bySeed(`evaluation/${row}`),
    ...seeds.map((seed) => `pretraining/${row}/base/${seed}`),
    ...seeds.flatMap((seed) => [`downstream/${row}/finetune/${seed}`, `downstream/${row}/probe/${seed}`]),
  ];
}

function withoutEvaluation(row: string): string[] {
  return afterTokenizer(row).filter((id) => !id.startsWith('evaluation'));
}

const rows = ['pixel', 'peco', 'shallow'];
const scratch = seeds.map((seed) => `downstream/scratch/finetune/${seed}`);

/** To the codebook of the tokenizers. */
function addField(project: Project, field: string): void {
  const config = 'parts/tokenizer/config.ts';
  project.edit(config, 'size: z.int()', `${field}, size: z.int()`);
  project.edit(config, 'import { z }', `import { added } from ${addedFile};\nimport { z }`);
}

/** Runs, edits, and runs again: each case says what the second run must make, and nothing else. */
const cases: { readonly [title: string]: { edit: (project: Project) => void; reruns: readonly string[] } } = {
  'nothing changed': { edit: () => {}, reruns: [] },
  "a tokenizer's perceptual weight": {
    edit: (project) => project.edit('experiment.ts', 'weight: 1 }', 'weight: 2 }'),
    reruns: [...bySeed('tokenizer/peco'), ...afterTokenizer('peco'), 'report'],
  },
  'a comment in a stage': {
    edit: (project) =>
      project.edit('parts/common.ts', 'Shared by all stages.', 'Shared by every stage; do not touch.'),
    reruns: [],
  },
  'a comment in the mask generator, and its white space': {
    edit: (project) => {
      project.edit('parts/pretraining/masks.ts', '// Block-wise masks.', '/* Masks,\n block by block. */');
      project.edit('parts/pretraining/masks.ts', '{ return count * 2; }', '{\n\n\treturn   count*2;\n}');
    },
    reruns: [],
  },
  'a type that a stage imports': {
    edit: (project) =>
      project.edit('parts/network/shape.ts', 'readonly metrics', 'readonly extra?: string; readonly metrics'),
    reruns: [],
  },
  'the mask generator': {
    edit: (project) => project.edit('parts/pretraining/masks.ts', 'count * 2', 'count * 3'),
    reruns: [...rows.flatMap(withoutEvaluation), 'report'],
  },
  'code that all training stages import': {
    edit: (project) => project.edit('parts/common.ts', '[name]: 1', '[name]: 2'),
    reruns: [
      ...bySeed('network/vgg'),
      ...rows.flatMap((row) => bySeed(`tokenizer/${row}`)),
      ...rows.flatMap(afterTokenizer),
      ...scratch,
      'report',
    ],
  },
  'code that others use to load tokenizers': {
    edit: (project) => project.edit('parts/tokenizer/codes.ts', '[input]', '[input, 1]'),
    reruns: [...rows.flatMap(afterTokenizer), 'report'],
  },
  'code that reads datasets': {
    edit: (project) => project.edit('parts/data/decode.ts', 'return input', 'return [input]'),
    reruns: [
      ...bySeed('network/vgg'),
      ...rows.flatMap((row) => bySeed(`tokenizer/${row}`)),
      ...rows.flatMap(afterTokenizer),
      ...scratch,
      'report',
    ],
  },
  'the test images': {
    edit: (project) => project.edit('parts/data/test.bin', 'test', 'tesT'),
    reruns: [
      ...rows.flatMap(afterTokenizer).filter((id) => !id.startsWith('pretraining')),
      ...scratch,
      'report',
    ],
  },
  'the name of a row': {
    edit: (project) => project.edit('experiment.ts', 'shallow: vqvae', 'thin: vqvae'),
    reruns: ['report'],
  },
  'the name of the experiment': {
    edit: (project) => project.edit('experiment.ts', "name: 'fake'", "name: 'other'"),
    reruns: ['report'],
  },
  'another seed': {
    edit: (project) => project.edit('experiment.ts', 'seeds: [0, 1]', 'seeds: [0, 1, 2]'),
    reruns: [
      'network/vgg/seed-2',
      ...rows.flatMap((row) => [
        `tokenizer/${row}/seed-2`,
        ...afterTokenizer(row)
          .filter((id) => id.endsWith('/seed-1'))
          .map((id) => id.replace('/seed-1', '/seed-2')),
      ]),
      'downstream/scratch/finetune/seed-2',
      'report',
    ],
  },
  'a default that is now written out': {
    edit: (project) => project.edit('experiment.ts', 'size: 256, dim: 32', 'decay: 0.99, dim: 32, size: 256'),
    reruns: [],
  },
  'a new field with a default that is declared as added': {
    edit: (project) => addField(project, 'revive: added(z.number().default(0), { was: 0 })'),
    reruns: [],
  },
  'a new field with a default that is not': {
    edit: (project) => addField(project, 'revive: z.number().default(0)'),
    reruns: [...rows.flatMap((row) => bySeed(`tokenizer/${row}`)), ...rows.flatMap(afterTokenizer), 'report'],
  },
  'a new group of fields with defaults that is declared as added': {
    edit: (project) =>
      addField(
        project,
        'ema: added(z.strictObject({ decay: z.number().default(0.9) }).prefault({}), { was: { decay: 0.9 } })',
      ),
    reruns: [],
  },
  'another value of a default': {
    edit: (project) => project.edit('parts/tokenizer/config.ts', 'default(0.99)', 'default(0.9)'),
    reruns: [...rows.flatMap((row) => bySeed(`tokenizer/${row}`)), ...rows.flatMap(afterTokenizer), 'report'],
  },
  'the default of a dataset, which has no outputs to tell it by': {
    edit: (project) => project.edit('parts/data/config.ts', 'default(1)', 'default(2)'),
    reruns: [
      ...bySeed('network/vgg'),
      ...rows.flatMap((row) => bySeed(`tokenizer/${row}`)),
      ...rows.flatMap(afterTokenizer),
      ...scratch,
      'report',
    ],
  },
  'the help text of a component file': {
    edit: (project) => project.edit('parts/tokenizer/config.ts', "what: 'layer'", "what: 'activation'"),
    reruns: [],
  },
};

for (const [title, { edit, reruns }] of Object.entries(cases)) {
  test(`rerun after a change of: ${title}`, async (t) => {
    const project = await createStoredProject(t);
    edit(project);
    const second = await simulateRun(project);
    t.deepEqual([...second].sort(), [...reruns].sort());
  });
}

test('a tokenizer that runs again and writes the same bytes does not rerun its pretraining', async (t) => {
  const project = createFakeProject(t);
  const output = (node: { readonly id: string }) => node.id;
  await simulateRun(project, { output });
  project.edit('parts/tokenizer/stage.ts', "'tokenizer'", "'tokenizer v2'");
  t.deepEqual(
    await simulateRun(project, { output }),
    rows.flatMap((row) => bySeed(`tokenizer/${row}`)),
  );
});

test('defaults that change and change back find the results of then', async (t) => {
  const project = await createStoredProject(t);
  project.edit('parts/tokenizer/config.ts', 'default(0.99)', 'default(0.9)');
  t.is((await simulateRun(project)).length, 31);
  t.deepEqual(await simulateRun(project), []);
  project.edit('parts/tokenizer/config.ts', 'default(0.9)', 'default(0.99)');
  t.deepEqual(await simulateRun(project), []);
  // Whatever else the store has lost.
  project.edit('parts/tokenizer/config.ts', 'default(0.99)', 'default(0.95)');
  fs.rmSync(project.file('.peco/documents'), { recursive: true });
  t.is((await simulateRun(project)).length, 31);
  project.edit('parts/tokenizer/config.ts', 'default(0.95)', 'default(0.9)');
  t.deepEqual(await simulateRun(project), []);
});

test('the default of an added field that changes later finds no results of the old one, nor from before', async (t) => {
  const project = createFakeProject(t);
  const config = 'parts/tokenizer/config.ts';
  await simulateRun(project);
  addField(project, 'revive: added(z.number().default(5), { was: 5 })');
  t.deepEqual(await simulateRun(project), []);
  project.edit(config, 'default(5), { was: 5 }', 'default(7), { was: 5 }');
  t.is((await simulateRun(project)).length, 31);
  t.deepEqual(await simulateRun(project), []);
  // Written out, the value from before is that of before.
  project.edit('experiment.ts', 'size: 256, dim: 32', 'size: 256, dim: 32, revive: 5');
  t.deepEqual(await simulateRun(project), []);
  project.edit('experiment.ts', ', revive: 5', '');
  project.edit(config, 'default(7), { was: 5 }', 'default(5), { was: 5 }');
  t.deepEqual(await simulateRun(project), []);
});

test('a field that may be absent and gets a default, or loses it, reruns; a new one that may be absent does not', async (t) => {
  const project = createFakeProject(t);
  const config = 'parts/tokenizer/config.ts';
  await simulateRun(project);
  project.edit(config, 'size: z.int()', 'alpha: z.number().optional(), size: z.int()');
  t.deepEqual(await simulateRun(project), []);
  project.edit(config, 'alpha: z.number().optional()', 'alpha: z.number().default(5)');
  t.is((await simulateRun(project)).length, 31);
  t.deepEqual(await simulateRun(project), []);
  // As it was made first: those results are found again, not those with 5.
  project.edit(config, 'alpha: z.number().default(5)', 'alpha: z.number().optional()');
  t.deepEqual(await simulateRun(project), []);
});

test('results of a default that is gone from the schema are not those of a config without it', async (t) => {
  const project = createFakeProject(t);
  const config = 'parts/tokenizer/config.ts';
  project.edit(config, 'size: z.int()', 'alpha: z.number().default(5), size: z.int()');
  await simulateRun(project);
  project.edit(config, 'alpha: z.number().default(5)', 'alpha: z.number().optional()');
  t.is((await simulateRun(project)).length, 31);
  t.deepEqual(await simulateRun(project), []);
});

test('a group that may be absent and then is always there reruns', async (t) => {
  const project = createFakeProject(t);
  const config = 'parts/tokenizer/config.ts';
  const group = 'z.strictObject({ flip: z.boolean().default(true) })';
  project.edit(config, 'size: z.int()', `augment: ${group}.optional(), size: z.int()`);
  await simulateRun(project);
  project.edit(config, `${group}.optional()`, `${group}.prefault({})`);
  t.is((await simulateRun(project)).length, 31);
});

/** The schema of the fake tokenizer with a seed, and one seed in the experiment. */
function withSeedField(project: Project, field: string): void {
  project.edit('parts/tokenizer/config.ts', 'stride: z.literal', `seed: ${field}, stride: z.literal`);
  project.edit('experiment.ts', 'seeds: [0, 1]', 'seeds: [0]');
}

test('a seed that all share and the same seed of the experiment are one result', async (t) => {
  const project = createFakeProject(t);
  withSeedField(project, 'z.int().optional()');
  await simulateRun(project);
  t.deepEqual(await simulateRun(project, { set: ['tokenizers.peco.seed=0'] }), []);
  await simulateRun(project, { seeds: [3] });
  t.deepEqual(await simulateRun(project, { seeds: [3], set: ['tokenizers.peco.seed=3'] }), []);
  // The other way round: three seeds over one tokenizer, then a tokenizer for each of them.
  const shared = await simulateRun(project, { seeds: [0, 3, 8], set: ['tokenizers.peco.seed=0'] });
  t.false(shared.includes('tokenizer/peco'));
  t.true(shared.includes('pretraining/peco/base/seed-3'));
  const own = await simulateRun(project, { seeds: [0, 3, 8] });
  t.deepEqual(
    own.filter((id) => id.startsWith('tokenizer/')),
    ['tokenizer/peco/seed-8'],
  );
});

test('results from when the seed of a tokenizer was 0 by default are found, and so are those of another one', async (t) => {
  const project = createFakeProject(t);
  withSeedField(project, 'z.int().default(0)');
  project.edit('experiment.ts', 'shallow: vqvae({', 'shallow: vqvae({ seed: 4,');
  await simulateRun(project);
  project.edit('parts/tokenizer/config.ts', 'z.int().default(0)', 'z.int().optional()');
  t.deepEqual(await simulateRun(project), []);
});

test('a folder of images is an input: editing, adding, renaming or removing one reruns what used it', async (t) => {
  const project = createFakeProject(t);
  project.write({ 'images/cat/1.png': 'cat', 'images/dog/1.png': 'dog' });
  project.edit('experiment.ts', 'parts/data/test.bin', 'images');
  const users = [
    ...rows.flatMap(afterTokenizer).filter((id) => !id.startsWith('pretraining')),
    ...scratch,
    'report',
  ];
  await simulateRun(project);
  t.deepEqual(await simulateRun(project), []);
  const edits: readonly (() => void)[] = [
    () => project.write({ 'images/cat/1.png': 'Cat' }),
    () => project.write({ 'images/cat/2.png': 'cat' }),
    () => fs.renameSync(project.file('images/cat/2.png'), project.file('images/dog/2.png')),
  ];
  for (const edit of edits) {
    edit();
    t.deepEqual([...(await simulateRun(project))].sort(), [...users].sort());
  }
  fs.rmSync(project.file('images/dog/2.png'));
  t.deepEqual(await simulateRun(project), [], 'as it was before: those results are stored');
});

test('a project that moves to another folder reruns nothing', async (t) => {
  const project = await createStoredProject(t);
  const moved = createFakeProject(t);
  fs.cpSync(project.file('.peco'), moved.file('.peco'), { recursive: true });
  t.deepEqual(await simulateRun(moved), []);
});

test('a link to an experiment file stands for the file, with all that it imports', async (t) => {
  const project = createFakeProject(t);
  project.write({ 'weights.ts': 'export const weight = 1;\n' });
  project.edit('experiment.ts', 'weight: 1 }', 'weight }');
  project.edit('experiment.ts', 'import {', "import { weight } from './weights.ts';\nimport {");
  project.edit('experiment.ts', "name: 'fake'", "name: 'linked'");
  fs.renameSync(project.file('experiment.ts'), project.file('real.ts'));
  fs.symlinkSync('real.ts', project.file('experiment.ts'));
  await simulateRun(project);
  project.edit('weights.ts', '1', '2');
  t.deepEqual(
    [...(await simulateRun(project))].sort(),
    [...bySeed('tokenizer/peco'), ...afterTokenizer('peco'), 'report'].sort(),
  );
});

test('a plan of an empty store says run, of a full one hit, of a changed one run and maybe', async (t) => {
  const project = createFakeProject(t);
  const statuses = async () =>
    Object.fromEntries((await plan(project)).stages.map(({ node, status }) => [node.id, status]));
  t.true(Object.values(await statuses()).every((status) => status === 'run'));
  await simulateRun(project);
  t.true(Object.values(await statuses()).every((status) => status === 'hit'));
  project.edit('parts/tokenizer/stage.ts', "'tokenizer'", "'tokenizer v2'");
  const after = await statuses();
  t.is(after['network/vgg/seed-0'], 'hit');
  t.is(after['tokenizer/peco/seed-0'], 'run');
  t.is(after['evaluation/peco/seed-0'], 'maybe');
  t.is(after['downstream/peco/probe/seed-1'], 'maybe');
  t.is(after['downstream/scratch/finetune/seed-0'], 'hit');
  t.is(after.report, 'maybe');
});

test('what depends on a stage whose config changed is planned to run, not perhaps to run', async (t) => {
  const project = await createStoredProject(t);
  const planned = await plan(project, { set: ['pretraining.base.steps=7'] });
  const status = Object.fromEntries(
    planned.stages.map((stage) => [stage.node.id, `${stage.status}: ${stage.reason}`]),
  );
  t.is(status['tokenizer/peco/seed-0'], 'hit: stored');
  t.is(status['pretraining/peco/base/seed-0'], 'run: no stored result');
  t.is(status['downstream/peco/probe/seed-0'], 'run: no stored result');
});

test('planning again when nothing changed bundles nothing', async (t) => {
  const project = createFakeProject(t);
  await simulateRun(project);
  const bundles = project.file('node_modules/.cache/peco-exp/modules');
  const before = fs.readdirSync(bundles).map((name) => fs.statSync(`${bundles}/${name}`).mtimeMs);
  fs.utimesSync(project.file('parts/common.ts'), new Date(), new Date());
  const planned = await plan(project);
  t.true(planned.stages.every((stage) => stage.status === 'hit'));
  t.deepEqual(
    fs.readdirSync(bundles).map((name) => fs.statSync(`${bundles}/${name}`).mtimeMs),
    before,
  );
});
