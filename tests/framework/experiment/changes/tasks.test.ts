import test from 'ava';
import { loadExperiment } from '../../../../framework/experiment/load.ts';
import type { LoadOptions } from '../../../../framework/experiment/types.ts';
import { resultsFolderName } from '../../../../framework/run/results-folder.ts';
import { formatError } from '../../../../framework/stage/errors.ts';
import { type Project, repository } from '../../../support/project.ts';
import { createFakeProject } from '../../../support/simulate.ts';

/** One at a time: the variables that a file asks for are noted for the process. */
function load(project: Project, options: Partial<LoadOptions>) {
  return loadExperiment('experiment.ts', { cwd: project.dir, ...options });
}

test.serial(
  'only the named tasks are left, and a row of which nothing is left goes; results have a folder of their own',
  async (t) => {
    const { experiment, changes } = await load(createFakeProject(t), { tasks: ['probe'] });
    t.deepEqual(Object.keys(experiment.downstream), ['probe']);
    t.is(experiment.scratch, undefined);
    t.deepEqual(changes, [{ by: 'tasks', path: 'tasks', from: ['finetune', 'probe'], to: ['probe'] }]);
    t.regex(resultsFolderName('fake', changes), /^fake@tasks=probe-[0-9a-f]{10}$/);
  },
);

test.serial('a row keeps its tasks that are named; to name all of them changes nothing', async (t) => {
  const project = createFakeProject(t);
  const some = await load(project, { tasks: ['finetune'], smoke: true });
  t.deepEqual(Object.keys(some.experiment.scratch!.downstream), ['finetune']);
  t.deepEqual(
    some.changes.map(({ by }) => by),
    ['smoke', 'tasks'],
  );
  t.deepEqual((await load(project, { tasks: ['probe', 'finetune'] })).changes, []);
});

test.serial(
  'what is left out need not be there: neither its data nor the variable that names them',
  async (t) => {
    const project = createFakeProject(t);
    project.edit(
      'parts/downstream/config.ts',
      'import { defineComponent }',
      'import { component, defineComponent }',
    );
    project.edit(
      'parts/downstream/config.ts',
      'z.strictObject({',
      "z.strictObject({ test: component('dataset').optional(),",
    );
    project.edit('parts/downstream/config.ts', 'run: new', 'inputs: ({ test }) => ({ test }),\n  run: new');
    project.edit(
      'experiment.ts',
      'probe: classify({',
      "probe: classify({ test: folder({ file: env('PECO_NOT_SET') }),",
    );
    project.edit(
      'experiment.ts',
      'import {',
      `import { env } from '${repository}/framework/experiment/environment.ts';\nimport {`,
    );
    const refused = await t.throwsAsync(load(project, {}));
    t.true(formatError(refused).includes('the environment variable PECO_NOT_SET is not set'));
    const { experiment } = await load(project, { tasks: ['finetune'] });
    t.deepEqual(Object.keys(experiment.downstream), ['finetune']);
  },
);

test.serial('a task that there is not is refused, with the names that there are', async (t) => {
  const error = await t.throwsAsync(load(createFakeProject(t), { tasks: ['prob'] }));
  const text = formatError(error);
  t.true(text.includes('--tasks: there is no task "prob"'), text);
  t.true(text.includes('did you mean "probe"? one of: finetune, probe'), text);
});
