import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { checkPlaces } from '../../../framework/cli/places.ts';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import { findProject } from '../../../framework/settings/project.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { portable } from '../../support/project.ts';
import { createRig, type Rig } from '../../support/rig.ts';

/** What is said of an experiment whose training data lies there; undefined if it may. */
async function check(
  rig: Rig,
  data: string,
  flags: {
    readonly store?: string;
    readonly out?: string;
    readonly tensorboard?: string;
    readonly sweep?: readonly string[];
  } = {},
): Promise<string | undefined> {
  const { sweep = [], tensorboard, ...places } = flags;
  const file = `data-${data.replaceAll(/\W/g, '_')}.ts`;
  const text = rig.read('experiment.ts');
  rig.write({
    [file]: text.replace(
      "data({ name: 'train' })",
      `data({ name: 'train', folder: ${JSON.stringify(data)} })`,
    ),
  });
  const loaded = await loadExperiment(file, { cwd: rig.dir, sweep });
  const project = await findProject(loaded.file, { flags: places, env: {}, cwd: rig.dir });
  try {
    await checkPlaces(loaded, project, {
      results: path.join(project.results, 'rig'),
      events: tensorboard === undefined ? undefined : path.join(rig.dir, tensorboard),
    });
    return undefined;
  } catch (error) {
    return portable(formatError(error), rig)
      .replaceAll(path.dirname(rig.dir), '<above>')
      .replaceAll(/at \S*data-\w+\.ts:\d+/g, 'at <place>')
      .replaceAll(/\S*data-\w+\.ts/g, '<file>');
  }
}

function rigWithData(t: ExecutionContext): Rig {
  return createRig(t, { 'images/a.bin': 'a', 'images/more/b.bin': 'b' });
}

test('data that lies apart is as it should be', async (t) => {
  const rig = rigWithData(t);
  t.is(await check(rig, 'images'), undefined);
  t.is(await check(rig, 'images/a.bin'), undefined);
  t.is(
    await check(rig, 'images', { store: 'images-store', out: 'images2' }),
    undefined,
    'names that begin alike',
  );
  rig.write({ 'results/other/features/a.bin': 'a' });
  t.is(await check(rig, 'results/other/features'), undefined, 'results of another experiment');
  fs.symlinkSync(rig.file('results/other'), rig.file('images/link'));
  fs.symlinkSync(rig.file('images'), rig.file('images/more/loop'));
  t.is(await check(rig, 'images'), undefined, 'links to elsewhere, and to above');
});

test('store, results and cache within data, and data within them, are refused with field and place', async (t) => {
  const rig = rigWithData(t);
  rig.write({
    'results/rig/data/a.bin': 'a',
    '.peco/peco-store.json': '{"format":1}',
    '.peco/data/a.bin': 'a',
  });
  t.snapshot({
    'the project': await check(rig, '.'),
    'above the project': await check(rig, '..'),
    'the store in it': await check(rig, 'images', { store: 'images/store' }),
    'the store deep in it': await check(rig, 'images', { store: 'images/more/and/more' }),
    'the store': await check(rig, '.peco'),
    'in the store': await check(rig, '.peco/data'),
    'a file in the store': await check(rig, '.peco/data/a.bin'),
    'the results in it': await check(rig, 'images', { out: 'images' }),
    'the results deep in it': await check(rig, 'images', { out: 'images/more' }),
    'event files in it': await check(rig, 'images', { tensorboard: 'images/events' }),
    'the results folder': await check(rig, 'results'),
    'the tables': await check(rig, 'results/rig'),
    'in the tables': await check(rig, 'results/rig/data'),
    'a file in the tables': await check(rig, 'results/rig/data/a.bin'),
    'the cache in it': await check(rig, 'node_modules', { store: 'images-store' }),
  });
});

test('links are followed: of data, of store and results, and within data', async (t) => {
  const rig = rigWithData(t);
  fs.mkdirSync(rig.file('empty'));
  for (const folder of ['linked', 'results']) fs.mkdirSync(rig.file(folder));
  for (const [from, to] of [
    ['images', 'to-images'],
    ['images/more', 'to-more'],
    ['.', 'to-project'],
  ] as const)
    fs.symlinkSync(rig.file(from), rig.file(to));
  fs.symlinkSync(rig.file('.peco'), rig.file('linked/store'));
  const told = {
    'data through a link': await check(rig, 'to-images', { store: 'images/store' }),
    'the store through a link': await check(rig, 'images', { store: 'to-more/store' }),
    'results through a link': await check(rig, 'images', { out: 'to-images' }),
    'the project through a link': await check(rig, 'to-project'),
    'a link within to the store': await check(rig, 'linked'),
  };
  t.snapshot(told);
  fs.rmSync(rig.file('linked/store'));
  fs.symlinkSync(rig.file('results'), rig.file('linked/results'));
  t.regex((await check(rig, 'linked')) ?? '', /which leads to the results folder/);
});

test('data that only a sweep reads counts too', async (t) => {
  const rig = rigWithData(t);
  const told = await check(rig, 'images', { sweep: ['data.train.folder=images,.'] });
  t.regex(told ?? '', /data\.train: the data <project> holds the store <project>\/\.peco/);
});

test('results and store lie apart', async (t) => {
  const rig = rigWithData(t);
  t.snapshot([
    await check(rig, 'images', { out: '.peco' }),
    await check(rig, 'images', { tensorboard: '.peco/events' }),
    await check(rig, 'images', { store: 'results/rig' }),
    await check(rig, 'images', { store: 'results/rig/store' }),
  ]);
  t.is(await check(rig, 'images', { store: 'results/store' }), undefined);
});
