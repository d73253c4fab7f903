import fs from 'node:fs';
import test from 'ava';
import { formatTimings } from '../../../framework/run/record/timing.ts';
import { formatMetrics } from '../../../framework/run/worker/context.ts';
import { type ResultsInfo, writeIfDifferent, writeResults } from '../../../framework/run/write-results.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { createProject, type Project } from '../../support/project.ts';

test('metrics.json does not depend on the order in which a stage names its metrics', (t) => {
  const text = formatMetrics('onnx', { psnr: 21.5, accuracy: 0.25 });
  t.is(text, formatMetrics('onnx', { accuracy: 0.25, psnr: 21.5 }));
  t.deepEqual(JSON.parse(text), { engine: 'onnx', metrics: { accuracy: 0.25, psnr: 21.5 } });
});

test('metrics.json has what a stage says of its result, and metrics of any name', (t) => {
  const metrics = JSON.parse('{ "__proto__": 1, "labels": 9000 }') as { [name: string]: number };
  const text = formatMetrics('onnx', metrics, { about: 'network trained on 9,000 labels' });
  t.snapshot(text);
  t.snapshot(formatError(t.throws(() => formatMetrics('onnx', {}, { about: 5 as never }))));
});

test('a metric that is no finite number is refused by name', (t) => {
  for (const psnr of [Number.POSITIVE_INFINITY, undefined, '0.5', Promise.resolve(1), [1, 2]])
    t.snapshot(formatError(t.throws(() => formatMetrics('onnx', { psnr: psnr as number }))));
});

const about = (project: Project): ResultsInfo => ({
  experiment: 'p',
  file: project.file('experiment.ts'),
  root: project.dir,
  changes: [],
  config: { b: 1, a: { d: [], c: null } },
  command: ['run', 'experiment.ts'],
  run: '20260101-120000-p-00ff',
  version: '1.2.3',
  git: async () => ({ commit: 'c'.repeat(40), dirty: true }),
});

test("a report is published without the framework's own files, folders included, the top folder first", async (t) => {
  const project = createProject(t, {
    'entry/a/picture.png': 'png',
    'entry/ablation.md': 'table',
    'entry/metrics.json': '{}',
    'entry/metrics.jsonl': '',
  });
  const outputs = ['a/picture.png', 'ablation.md', 'metrics.json', 'metrics.jsonl'].map((path) => ({ path }));
  const entry = { dir: project.file('entry'), outputs };
  const files = await writeResults(entry, project.file('results'), about(project));
  const top = ['ablation.md', 'config.json', 'run.json'];
  t.deepEqual(
    files,
    [...top, 'a/picture.png'].map((name) => project.file(`results/${name}`)),
  );
  t.is(project.read('results/a/picture.png'), 'png');
  t.deepEqual(fs.readdirSync(project.file('results')).sort(), ['a', ...top]);
});

test('publishing follows no hard link back into the store', async (t) => {
  const project = createProject(t, { 'entry/ablation.md': 'table' });
  const outputs = [{ path: 'ablation.md' }];
  await writeResults({ dir: project.file('entry'), outputs }, project.file('results'), about(project));
  project.write({ 'results/ablation.md': 'edited by its reader' });
  t.is(project.read('entry/ablation.md'), 'table');
});

test('beside the tables: the resolved experiment, and how they were made, which stays as long as they do', async (t) => {
  const project = createProject(t, { 'entry/ablation.md': 'table' });
  const entry = { dir: project.file('entry'), outputs: [{ path: 'ablation.md' }] };
  const publish = (change: Partial<ResultsInfo> = {}) =>
    writeResults(entry, project.file('results/p'), { ...about(project), ...change });
  await publish();
  t.snapshot(project.read('results/p/config.json'));
  const record = project.read('results/p/run.json');
  t.regex(record, /"date": "20\d\d-\d\d-\d\dT[\d:.]+Z"/);
  t.snapshot(record.replace(/"date": "[^"]+"/, '"date": "<time>"'));

  await publish({ run: null, command: ['run', 'other.ts'] });
  t.is(project.read('results/p/run.json'), record, 'nothing was written');
  project.write({ 'entry/ablation.md': 'another table' });
  await publish({ run: 'later' });
  t.is(JSON.parse(project.read('results/p/run.json')).run, 'later');
});

test('a file that peco-exp did not write is never replaced, and then nothing is written', async (t) => {
  const outputs = [{ path: 'README.md' }, { path: 'a.csv' }];
  const entry = { 'entry/README.md': 'table', 'entry/a.csv': 'numbers' };
  const mine: readonly { readonly [name: string]: string }[] = [
    { 'README.md': 'mine' },
    { 'a.csv': 'mine' },
    { 'a.csv/b': 'mine' },
    { 'run.json': '{}' },
    { 'config.json': '{}' },
    { 'timing.csv': 'mine' },
    { 'timing.csv': 'mine', 'run.json': 'mine' },
  ];
  for (const files of mine) {
    const within = Object.fromEntries(Object.entries(files).map(([name, text]) => [`results/${name}`, text]));
    const project = createProject(t, { ...entry, ...within });
    const publish = writeResults(
      { dir: project.file('entry'), outputs },
      project.file('results'),
      about(project),
    );
    const { message } = (await t.throwsAsync(publish))!;
    t.regex(message, /is there, and (no run\.json beside it says|peco-exp did not write it)/);
    t.deepEqual(
      fs.readdirSync(project.file('results')).sort(),
      Object.keys(files)
        .map((name) => name.split('/')[0]!)
        .sort(),
    );
    for (const [name, text] of Object.entries(within)) t.is(project.read(name), text);
  }
});

test('what lies beside the tables stays, also a table that was there before with the same bytes', async (t) => {
  const project = createProject(t, {
    'entry/a.md': 'table',
    'results/notes.txt': 'mine',
    'results/a.md': 'table',
  });
  const publish = () =>
    writeResults(
      { dir: project.file('entry'), outputs: [{ path: 'a.md' }] },
      project.file('results'),
      about(project),
    );
  await publish();
  project.write({ 'entry/a.md': 'newer table' });
  await publish();
  t.is(project.read('results/notes.txt'), 'mine');
  t.is(project.read('results/a.md'), 'newer table');
});

test('tables of a version that wrote no run.json are known by their timing.csv', async (t) => {
  const head = 'stage,kind,seed,wall_seconds,images_per_second,engine,threads,reused\n';
  const project = createProject(t, {
    'entry/a.md': 'table',
    'results/a.md': 'old table',
    'results/timing.csv': `${head}x,y,0,,,,,no\n`,
  });
  await writeResults(
    { dir: project.file('entry'), outputs: [{ path: 'a.md' }] },
    project.file('results'),
    about(project),
  );
  t.is(project.read('results/a.md'), 'table');
});

test('a report that writes what peco-exp writes itself is refused', async (t) => {
  for (const name of ['run.json', 'config.json', 'timing.csv']) {
    const project = createProject(t, { [`entry/${name}`]: 'x' });
    const entry = { dir: project.file('entry'), outputs: [{ path: name }] };
    await t.throwsAsync(writeResults(entry, project.file('results'), about(project)), {
      message: `the report wrote ${name}, which peco-exp writes itself`,
    });
  }
});

test('timing.csv of a changed experiment says so', async (t) => {
  const timing = { stage: 'a', kind: 'b', seed: 0, reused: false, provenance: {} };
  t.is(
    await formatTimings([timing], ['weight: 3 instead of 2', 'seeds: [0] -> [1]']),
    'stage,kind,seed,wall_seconds,images_per_second,engine,threads,reused,changed\n' +
      'a,b,0,,,,,no,weight: 3 instead of 2; seeds: [0] -> [1]\n',
  );
});

test('a write that fails leaves nothing behind', async (t) => {
  const project = createProject(t, { 'results/timing.csv/file': 'a folder where the file should be' });
  await t.throwsAsync(writeIfDifferent(project.file('results/timing.csv'), 'text'));
  t.deepEqual(fs.readdirSync(project.file('results')), ['timing.csv']);
});

test('timing.csv: times have their digits, what is unknown is empty, formulas are text', async (t) => {
  const common = { kind: 'vqvae', seed: 0, reused: false };
  const text = await formatTimings([
    {
      ...common,
      stage: 'tokenizer/peco',
      provenance: { seconds: 4, images: 100, engine: 'onnx', threads: 2 },
    },
    { ...common, stage: '=cmd', reused: true, provenance: { seconds: 0.001, images: 0 } },
    { ...common, stage: 'slow', provenance: { seconds: 3e6, images: 1 } },
  ]);
  t.is(
    text,
    'stage,kind,seed,wall_seconds,images_per_second,engine,threads,reused\n' +
      'tokenizer/peco,vqvae,0,4,25,onnx,2,no\n' +
      "'=cmd,vqvae,0,0.001,,,,yes\n" +
      'slow,vqvae,0,3000000,3.333e-7,,,no\n',
  );
});
