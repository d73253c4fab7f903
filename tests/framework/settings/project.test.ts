import fs from 'node:fs';
import os from 'node:os';
import test from 'ava';
import { findProject } from '../../../framework/settings/project.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { createProject, portable } from '../../support/project.ts';

const files = {
  'sub/package.json': '{ "name": "sub" }',
  'sub/experiments/a.ts': '',
};

test('without settings all is at home in the project of the experiment file', async (t) => {
  const project = createProject(t, files);
  const found = await findProject('sub/experiments/a.ts', { flags: {}, env: {}, cwd: project.dir });
  t.deepEqual(found, {
    root: project.file('sub'),
    store: project.file('sub/.peco'),
    results: project.file('sub/results'),
    engine: 'onnx',
    jobs: Math.min(os.availableParallelism(), 4),
    retries: 1,
    executor: 'local',
  });
});

test('flags win over the environment, that over settings; paths are relative to who says them', async (t) => {
  const project = createProject(t, {
    ...files,
    'sub/peco.config.json':
      '{ "store": "stored", "results": "shown", "engine": "reference", "jobs": 3, "retries": 3, "timeout": "30m" }',
  });
  const options = { flags: {}, env: {}, cwd: project.dir };
  const settings = await findProject('sub/experiments/a.ts', options);
  t.like(settings, {
    store: project.file('sub/stored'),
    results: project.file('sub/shown'),
    engine: 'reference',
    jobs: 3,
    retries: 3,
    timeout: 1800,
  });

  const env = {
    PECO_STORE: 'e',
    PECO_RESULTS: 'er',
    PECO_ENGINE: 'onnx',
    PECO_JOBS: '2',
    PECO_RETRIES: '0',
    PECO_TIMEOUT: '1.5h',
  };
  const environment = await findProject('sub/experiments/a.ts', { ...options, env });
  t.like(environment, {
    store: project.file('e'),
    results: project.file('er'),
    engine: 'onnx',
    jobs: 2,
    retries: 0,
    timeout: 5400,
  });

  const flags = { store: 'f', out: 'fr', engine: 'reference', jobs: 1, retries: 2, timeout: 'none' };
  const flagged = await findProject('sub/experiments/a.ts', { ...options, env, flags });
  t.like(flagged, {
    store: project.file('f'),
    results: project.file('fr'),
    engine: 'reference',
    jobs: 1,
    retries: 2,
  });
  t.false('timeout' in flagged, 'none takes away the limit that the environment says');
});

test('an empty value is an error that says who gave it', async (t) => {
  const project = createProject(t, files);
  const ask = async (
    env: { readonly [name: string]: string },
    flags: { readonly store?: string; readonly out?: string } = {},
  ) => {
    const error = await t.throwsAsync(findProject('sub/experiments/a.ts', { flags, env, cwd: project.dir }));
    return portable(formatError(error), project);
  };
  const variables = ['STORE', 'RESULTS', 'ENGINE', 'JOBS', 'RETRIES', 'TIMEOUT'].map(
    (name) => `PECO_${name}`,
  );
  const told = [];
  for (const name of variables) told.push(await ask({ [name]: '' }));
  told.push(await ask({}, { store: '' }), await ask({}, { out: ' ' }));
  // Also where a flag wins over it: it is a slip all the same.
  told.push(await ask({ PECO_STORE: '' }, { store: 'elsewhere' }));
  for (const field of ['store', 'results']) {
    for (const value of ['', '  ']) {
      project.write({ 'sub/peco.config.json': JSON.stringify({ [field]: value }) });
      told.push(await ask({}));
    }
  }
  t.snapshot(told);
  t.deepEqual(fs.readdirSync(project.file('sub')).sort(), [
    'experiments',
    'package.json',
    'peco.config.json',
  ]);
});

test('a variable with an impossible value is named', async (t) => {
  const project = createProject(t, files);
  const ask = (env: { readonly [name: string]: string }) =>
    t.throwsAsync(findProject('sub/experiments/a.ts', { flags: {}, env, cwd: project.dir }));
  const errors = [
    await ask({ PECO_JOBS: 'all' }),
    await ask({ PECO_JOBS: '0' }),
    await ask({ PECO_RETRIES: '-1' }),
    await ask({ PECO_TIMEOUT: '10 minutes' }),
    await ask({ PECO_TIMEOUT: '1000h' }),
    await ask({ PECO_ENGINE: 'onx' }),
  ];
  t.snapshot(errors.map((error) => portable(error?.message ?? '', project)));
});
