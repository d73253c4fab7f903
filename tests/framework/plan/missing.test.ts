import test from 'ava';
import { findNearest } from '../../../framework/plan/why.ts';
import { openStore } from '../../../framework/store/store.ts';
import { createFakeProject, createStoredProject, plan, simulateRun } from '../../support/simulate.ts';

test('stages that rest on missing data are unknown, with the reason, until the data is back', async (t) => {
  const project = await createStoredProject(t);
  const bytes = project.read('parts/data/test.bin');
  project.remove('parts/data/test.bin');
  const made = await plan(project, { goOn: true });
  t.snapshot(
    Object.fromEntries(made.stages.map(({ node, status, reason }) => [node.id, `${status}: ${reason}`])),
  );
  const stage = made.stages.find(({ node }) => node.id === 'evaluation/pixel/seed-0')!;
  const nearest = await findNearest(stage, made, openStore(project.file('.peco')));
  t.deepEqual(
    nearest?.differences.map(({ type, input, path, after }) => ({ type, input, path, after })),
    [{ type: 'data', input: 'test', path: 'images', after: 'not there' }],
  );
  project.write({ 'parts/data/test.bin': bytes });
  t.deepEqual(await simulateRun(project), []);
});

test('a stage that is unknown has no key', async (t) => {
  const project = createFakeProject(t);
  project.remove('parts/data/test.bin');
  const made = await plan(project, { goOn: true });
  const keys = await made.inputKeys();
  for (const { node, status, contentKey } of made.stages) {
    t.is(keys.has(node), status !== 'unknown', node.id);
    if (status === 'unknown') t.is(contentKey, undefined, node.id);
  }
  t.is(made.stages.find(({ node }) => node.id === 'network/vgg/seed-0')?.status, 'run');
});
