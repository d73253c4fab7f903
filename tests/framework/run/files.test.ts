import fs from 'node:fs';
import test from 'ava';
import { formatMetrics } from '../../../framework/run/context.ts';
import { publishReport, writeIfDifferent } from '../../../framework/run/publish.ts';
import { formatTimings } from '../../../framework/run/timing.ts';
import { createProject } from '../support/project.ts';

test('metrics.json does not depend on the order in which a stage names its metrics', (t) => {
  const text = formatMetrics('onnx', { psnr: 21.5, accuracy: 0.25 });
  t.is(text, formatMetrics('onnx', { accuracy: 0.25, psnr: 21.5 }));
  t.deepEqual(JSON.parse(text), { engine: 'onnx', metrics: { accuracy: 0.25, psnr: 21.5 } });
});

test('metrics.json has what a stage says of its result, and metrics of any name', (t) => {
  const metrics = JSON.parse('{ "__proto__": 1, "labels": 9000 }') as { [name: string]: number };
  const text = formatMetrics('onnx', metrics, { about: 'network trained on 9,000 labels' });
  t.snapshot(text);
  t.snapshot(t.throws(() => formatMetrics('onnx', {}, { about: 5 as never }))?.message);
});

test('a metric that is no finite number is refused by name', (t) => {
  t.snapshot(t.throws(() => formatMetrics('onnx', { psnr: Number.POSITIVE_INFINITY }))?.message);
});

test("a report is published without the framework's own files, folders included, the top folder first", async (t) => {
  const project = createProject(t, {
    'entry/a/picture.png': 'png',
    'entry/ablation.md': 'table',
    'entry/metrics.json': '{}',
    'entry/metrics.jsonl': '',
  });
  const outputs = ['a/picture.png', 'ablation.md', 'metrics.json', 'metrics.jsonl'].map((path) => ({ path }));
  const files = await publishReport({ dir: project.file('entry'), outputs }, project.file('results'));
  t.deepEqual(files, [project.file('results/ablation.md'), project.file('results/a/picture.png')]);
  t.is(project.read('results/a/picture.png'), 'png');
  t.deepEqual(fs.readdirSync(project.file('results')).sort(), ['a', 'ablation.md']);
});

test('publishing follows no hard link back into the store', async (t) => {
  const project = createProject(t, { 'entry/ablation.md': 'table' });
  const outputs = [{ path: 'ablation.md' }];
  await publishReport({ dir: project.file('entry'), outputs }, project.file('results'));
  project.write({ 'results/ablation.md': 'edited by its reader' });
  t.is(project.read('entry/ablation.md'), 'table');
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
