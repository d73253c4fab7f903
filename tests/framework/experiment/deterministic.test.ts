import test, { type ExecutionContext } from 'ava';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { type Project, portable, repository } from '../../support/project.ts';
import { createFakeProject } from '../../support/simulate.ts';

const environmentFile = JSON.stringify(`${repository}/framework/experiment/environment.ts`);

/** Numbers that differ from run to run. */
function steady(text: string): string {
  return text
    .replaceAll(/\d\.\d{5,}/g, '<random>')
    .replaceAll(/\b1\d{12}\b/g, '<time>')
    .replaceAll(/"20\d\d[^"]*"/g, '"<date>"');
}

async function messageOf(t: ExecutionContext, project: Project): Promise<string> {
  const error = await t.throwsAsync(loadExperiment('experiment.ts', { cwd: project.dir }));
  return steady(portable(formatError(error), project));
}

const cases: { readonly [title: string]: (project: Project) => void } = {
  'the clock': (project) => project.edit('experiment.ts', 'size: 256,', 'size: Date.now(),'),
  'a date': (project) =>
    project.edit('experiment.ts', "name: 'fake'", 'name: new Date().toISOString().slice(0, 4)'),
  'random numbers': (project) => project.edit('experiment.ts', 'decay: 0.95', 'decay: Math.random()'),
  'a random number in an imported constant': (project) => {
    project.write({ 'shared.ts': 'export const weight = Math.random();\n' });
    project.edit('experiment.ts', 'weight: 1 }', 'weight }');
    project.edit('experiment.ts', 'import {', "import { weight } from './shared.ts';\nimport {");
  },
  'a random default of a component': (project) =>
    project.edit('parts/tokenizer/config.ts', '.default(1)', '.default(Math.random())'),
  'an unlisted variable': (project) =>
    project.edit('experiment.ts', "name: 'fake'", "name: process.env.PECO_TEST_NAME ?? 'none'"),
};

test.before(() => {
  process.env.PECO_TEST_NAME = 'set';
  process.env.PECO_TEST_DATA = 'parts/data';
});

for (const [title, edit] of Object.entries(cases)) {
  test.serial(
    `an experiment that depends on ${title} is refused, with the field and its place`,
    async (t) => {
      const project = createFakeProject(t);
      if (title === 'random numbers') project.edit('experiment.ts', 'size: 256,', 'size: 256, decay: 0.95,');
      edit(project);
      t.snapshot(await messageOf(t, project));
    },
  );
}

test.serial('a variable that is read by env is an input: told with the experiment', async (t) => {
  const project = createFakeProject(t);
  project.edit('experiment.ts', "'parts/data/train.bin'", "env('PECO_TEST_DATA', 'train.bin')");
  project.edit('experiment.ts', 'import {', `import { env } from ${environmentFile};\nimport {`);
  const { experiment, environment } = await loadExperiment('experiment.ts', { cwd: project.dir });
  t.deepEqual(environment, { PECO_TEST_DATA: 'parts/data' });
  t.is(experiment.data.train.config.file, 'parts/data/train.bin');
  project.edit('experiment.ts', 'PECO_TEST_DATA', 'PECO_TEST_MISSING');
  t.snapshot(await messageOf(t, project));
});

test.serial(
  'a variable that may be set or not decides by envIfSet, and is an input where it is set',
  async (t) => {
    const project = createFakeProject(t);
    project.edit(
      'experiment.ts',
      "'parts/data/train.bin'",
      "envIfSet('PECO_TEST_DATA', 'train.bin') ?? 'parts/data/test.bin'",
    );
    project.edit('experiment.ts', 'import {', `import { envIfSet } from ${environmentFile};\nimport {`);
    const load = () => loadExperiment('experiment.ts', { cwd: project.dir });
    const set = await load();
    t.deepEqual(set.environment, { PECO_TEST_DATA: 'parts/data' });
    t.is(set.experiment.data.train.config.file, 'parts/data/train.bin');
    project.edit('experiment.ts', 'PECO_TEST_DATA', 'PECO_TEST_MISSING');
    const unset = await load();
    t.is(unset.experiment.data.train.config.file, 'parts/data/test.bin');
    // So a run with everything stored looks whether it is set by then.
    t.true(unset.consulted.includes('PECO_TEST_MISSING'));
  },
);

test.serial('the world is as it was afterwards', async (t) => {
  const world = [globalThis.Date, Math.random, process.env];
  await loadExperiment('experiment.ts', { cwd: createFakeProject(t).dir });
  t.deepEqual([globalThis.Date, Math.random, process.env], world);
  t.true(Date.now() < new Date('2100-01-01').getTime());
});

test.serial(
  'variables that made no difference are named all the same, and who asks for all is known to',
  async (t) => {
    const project = createFakeProject(t);
    const load = () => loadExperiment('experiment.ts', { cwd: project.dir });
    const name = (text: string) => project.edit('experiment.ts', /^ {2}name: .*,$/m, `  name: ${text},`);
    name("process.env.PECO_TEST_NAME === 'other' ? 'other' : 'fake'");
    t.like(await load(), { consulted: ['PECO_TEST_NAME'], unbounded: false });
    name(
      "'PECO_TEST_ABSENT' in process.env || Object.hasOwn(process.env, 'PECO_TEST_NAME') ? 'fake' : 'fake'",
    );
    t.deepEqual((await load()).consulted.toSorted(), ['PECO_TEST_ABSENT', 'PECO_TEST_NAME']);
    name("process.env.hasOwnProperty('length') ? 'fake' : 'fake'");
    t.true((await load()).consulted.includes('length'));
    name("Object.keys(process.env).includes('PECO_TEST_OTHER') ? 'other' : 'fake'");
    t.true((await load()).unbounded);
    name("fetch('data:,x') === 1 ? 'other' : 'fake'");
    t.true((await load()).unbounded);
  },
);
