import test, { type ExecutionContext } from 'ava';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { type Project, portable, repository } from '../../support/project.ts';
import { createFakeProject } from '../../support/simulate.ts';

const environmentFile = JSON.stringify(`${repository}/framework/experiment/environment.ts`);
const train = "'parts/data/train.bin'";

/** The fake experiment, with an expression for the file of its training data. */
function createProject(t: ExecutionContext, file: string): Project {
  const project = createFakeProject(t);
  project.edit('experiment.ts', train, file);
  project.edit('experiment.ts', 'import {', `import { env } from ${environmentFile};\nimport {`);
  return project;
}

/** The data set says itself what is missing, and what belongs there. */
function explain(project: Project): void {
  project.edit(
    'parts/data/config.ts',
    'files: (config)',
    `check: (config) => existsSync(path.resolve(import.meta.dirname, '../..', config.file)) ? [] :
      [{ path: ['file'], message: 'there is no such file', hint: 'expected\\n  train.bin', missing: true }],
  files: (config)`,
  );
  project.edit('parts/data/config.ts', 'import path', "import { existsSync } from 'node:fs';\nimport path");
}

async function refusal(project: Project, goOn = false): Promise<string> {
  const error = await outcome(loadExperiment('experiment.ts', { cwd: project.dir, goOn }));
  return portable(error, project);
}

function outcome(loading: Promise<unknown>): Promise<string> {
  return loading.then(
    () => 'valid',
    (error: unknown) => formatError(error),
  );
}

/** What messages say of missing parts where loading continues without them. */
async function missing(project: Project): Promise<string> {
  const loaded = await loadExperiment('experiment.ts', { cwd: project.dir, goOn: true });
  return portable(loaded.missing.map((problem) => formatError(problem)).join('\n'), project);
}

test.serial('a file that is not there stops a run, and is listed for a plan', async (t) => {
  const project = createProject(t, "'parts/data/none.bin'");
  t.snapshot(await refusal(project));
  t.snapshot(await missing(project));
});

test.serial('a variable that is not set is named with the field that needs it', async (t) => {
  const project = createProject(t, "env('PECO_TEST_NOWHERE', 'train.bin')");
  t.snapshot(await refusal(project));
  t.snapshot(await missing(project));
});

test.serial('what the component expects there stays in the hint', async (t) => {
  const project = createProject(t, "env('PECO_TEST_NOWHERE', 'train.bin')");
  explain(project);
  t.snapshot(await missing(project));
  project.edit('experiment.ts', "env('PECO_TEST_NOWHERE', 'train.bin')", "'elsewhere.bin'");
  t.snapshot(await missing(project));
});

test.serial('a run is refused with all that is missing and all that is wrong at once', async (t) => {
  const project = createProject(t, "env('PECO_TEST_NOWHERE', 'train.bin')");
  project.edit('experiment.ts', "'parts/data/test.bin'", "'parts/data/none.bin'");
  project.remove('parts/downstream/stage.ts');
  t.snapshot(await refusal(project));
});

test.serial('a plan is refused too where something else is wrong', async (t) => {
  const project = createProject(t, "env('PECO_TEST_NOWHERE', 'train.bin')");
  project.edit('experiment.ts', 'steps: 1000', 'steps: 0');
  t.snapshot(await refusal(project, true));
});

test.serial('a variable that decides something else than a place is a problem of its own', async (t) => {
  const project = createProject(t, `${train} as string`);
  project.edit('experiment.ts', "title: 'fake'", "title: env('PECO_TEST_NOWHERE').length > 3 ? 'a' : 'b'");
  t.snapshot(await refusal(project, true));
});

test.serial('a variable whose name begins another one is not taken for it', async (t) => {
  const project = createProject(t, "env('PECO_TEST_NOWHERE_ELSE', 'train.bin')");
  project.edit('experiment.ts', "'parts/data/test.bin'", "env('PECO_TEST_NOWHERE', 'test.bin')");
  const text = await missing(project);
  t.is(text.match(/variable PECO_TEST_NOWHERE is/g)?.length, 1);
  t.is(text.match(/variable PECO_TEST_NOWHERE_ELSE is/g)?.length, 1);
});

test.serial('a smoke run that has something else in the field has no need of the variable', async (t) => {
  const project = createProject(t, "env('PECO_TEST_NOWHERE', 'train.bin')");
  const load = () => outcome(loadExperiment('experiment.ts', { cwd: project.dir, smoke: true }));
  t.regex(await load(), /the environment variable PECO_TEST_NOWHERE is not set/);
  const config = 'parts/data/config.ts';
  project.edit(
    config,
    'files: (config)',
    "smoke: () => ({ file: 'parts/data/test.bin' }),\n  files: (config)",
  );
  t.is(await load(), 'valid');
});
