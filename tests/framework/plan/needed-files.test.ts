import { createHash } from 'node:crypto';
import fs from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { formatError } from '../../../framework/stage/errors.ts';
import { type Project, portable, repository } from '../../support/project.ts';
import { createFakeProject, loadGraph, plan, simulateRun } from '../../support/simulate.ts';

const bytes = 'weights that were trained elsewhere';
const digest = createHash('sha256').update(bytes).digest('hex');

/** A fake project whose network takes a file of weights. */
function create(t: ExecutionContext, written: string): Project {
  const project = createFakeProject(t);
  const at = JSON.stringify(`${repository}/components/weights/file.ts`);
  const config = 'parts/network/config.ts';
  project.edit(config, 'import { z }', `import { weightsField, weightsFiles } from ${at};\nimport { z }`);
  project.edit(config, 'z.strictObject({', 'z.strictObject({ weights: weightsField.optional(),');
  const published = "{ where: 'the fakes publish it as FAKE', name: 'fake.pth' }";
  project.edit(
    config,
    'offers:',
    `files: (_, { weights }) => weightsFiles(weights, ${published}),\n  offers:`,
  );
  project.edit('experiment.ts', 'import { folder }', `import { file } from ${at};\nimport { folder }`);
  project.edit('experiment.ts', 'vgg({ width: 16 })', `vgg({ width: 16, weights: ${written} })`);
  project.write({ 'fake.pth': bytes });
  return project;
}

async function refusal(t: ExecutionContext, project: Project): Promise<string> {
  const cwd = process.cwd();
  const error = await t.throwsAsync(plan(project));
  return portable(formatError(error), project).replaceAll(cwd, '<cwd>');
}

const at = (project: Project, name: string) => JSON.stringify(project.file(name));

test('the bytes of a file of weights are in the key, its place is not', async (t) => {
  const project = create(t, `file(process.cwd() + '/none')`);
  const use = (before: string, place: string) =>
    project.edit('experiment.ts', before, `file(${at(project, place)})`);
  use(`file(process.cwd() + '/none')`, 'fake.pth');
  t.true((await simulateRun(project)).length > 0);
  const [network] = (await loadGraph(project)).stages.filter(({ id }) => id.startsWith('network'));
  t.is(network!.component.config.weights, 'file');
  project.write({ 'other/place.pth': bytes });
  use(`file(${at(project, 'fake.pth')})`, 'other/place.pth');
  t.deepEqual(await simulateRun(project), []);
  const promised = `file(${at(project, 'other/place.pth')}, { sha256: '${digest.slice(0, 8).toUpperCase()}' })`;
  project.edit('experiment.ts', `file(${at(project, 'other/place.pth')})`, promised);
  t.deepEqual(await simulateRun(project), []);
  project.write({ 'other/place.pth': `${bytes}.` });
  project.edit('experiment.ts', promised, `file(${at(project, 'other/place.pth')})`);
  t.true((await simulateRun(project)).includes('network/vgg/seed-0'));
});

test('a file with another digest than was given is an error with both, before anything runs', async (t) => {
  const project = create(t, 'PLACE');
  const right = `file(${at(project, 'fake.pth')}, { sha256: '${digest}' })`;
  project.edit('experiment.ts', 'PLACE', right);
  await plan(project);
  project.edit('experiment.ts', right, `file(${at(project, 'fake.pth')}, { sha256: '${'0'.repeat(64)}' })`);
  t.snapshot(await refusal(t, project));
});

test('the error of a file that is not there, or is a folder, names its field and where it is published', async (t) => {
  const project = create(t, 'PLACE');
  project.edit('experiment.ts', 'PLACE', `file(${at(project, 'none.pth')})`);
  t.snapshot(await refusal(t, project));
  fs.mkdirSync(project.file('none.pth'));
  t.snapshot(await refusal(t, project));
});

test('errors of a text instead of a file, and of a digest that is none, name the remedy', async (t) => {
  const project = create(t, `'vgg16.pth' as never`);
  t.snapshot(await refusal(t, project));
  project.edit('experiment.ts', `'vgg16.pth' as never`, `file('vgg16.pth', { sha256: 'sha256:1234' })`);
  t.snapshot(await refusal(t, project));
});
