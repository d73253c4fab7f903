import fs from 'node:fs';
import test from 'ava';
import { formatEngines } from '../../../../framework/stage/engines.ts';
import { createStage, readWeights, rewriteManifest, stateOf } from './support/checkpoints.ts';

test.serial(
  'another engine resumes from it, says so, and each checkpoint says who computed what',
  async (t) => {
    const { open, project, warnings, names } = createStage(t);
    const first = open();
    t.deepEqual(first.engines, [{ engine: 'onnx', from: 0 }]);
    await first.save(40, stateOf(40));
    await first.save(60, stateOf(60));
    const second = open({ engine: 'tensorflow:bf16' });
    t.is((await second.latest())?.step, 60);
    t.is(readWeights((await second.latest())!.dir), 'weights of 6');
    await second.save(90, stateOf(90));
    t.deepEqual(second.engines, [
      { engine: 'onnx', from: 0 },
      { engine: 'tensorflow:bf16', from: 60 },
    ]);
    t.deepEqual(names(), ['step-60'], 'the two latest, by whatever engine');
    const third = open();
    t.is((await third.latest())?.step, 90);
    await third.save(95, stateOf(95));
    await third.save(99, stateOf(99));
    t.deepEqual(names(), ['step-95', 'step-99']);
    t.false(fs.existsSync(project.file('work/checkpoints/tensorflow:bf16')), 'nothing is left of an engine');
    const all = [
      { engine: 'onnx', from: 0 },
      { engine: 'tensorflow:bf16', from: 60 },
      { engine: 'onnx', from: 90 },
    ];
    const fourth = open();
    await fourth.latest();
    t.deepEqual(fourth.engines, all);
    t.is(formatEngines(all), 'onnx, from step 60 tensorflow:bf16, from step 90 onnx');
    t.deepEqual(warnings, [
      'resumes at step 60, computed by onnx, with tensorflow:bf16: its results will say so',
      'resumes at step 60, computed by onnx, with tensorflow:bf16: its results will say so',
      'resumes at step 90, computed by tensorflow:bf16, with onnx: its results will say so',
    ]);
  },
);

test.serial(
  'an engine that computed no step is in no checkpoint, and in the result: it did what follows',
  async (t) => {
    const { open } = createStage(t);
    await open().save(60, stateOf(60));
    const other = open({ engine: 'reference' });
    await other.latest();
    await other.handOver(60, stateOf(60));
    t.deepEqual(other.engines, [
      { engine: 'onnx', from: 0 },
      { engine: 'reference', from: 60 },
    ]);
    const next = open({ out: 'next', previous: 'out' });
    await next.latest();
    t.deepEqual(next.engines, [{ engine: 'onnx', from: 0 }]);
  },
);

test.serial('a rung that is continued on another engine says who computed the one before', async (t) => {
  const { open, project, warnings } = createStage(t);
  await open({ out: 'rung' }).handOver(4, stateOf(4));
  const goOn = async () => {
    const next = open({ engine: 'reference', previous: 'rung' });
    await next.latest();
    return formatEngines(next.engines);
  };
  t.is(await goOn(), 'onnx, from step 4 reference');
  t.deepEqual(warnings, ['resumes at step 4, computed by onnx, with reference: its results will say so']);

  // One that was stored before states said it.
  rewriteManifest(project.file('rung/state'), ({ engines: _, ...others }) => others);
  t.is(await goOn(), 'from step 4 reference', 'not known');
  project.write({ 'rung/metrics.json': '{ "engine": "wasm", "metrics": {} }' });
  t.is(await goOn(), 'wasm, from step 4 reference');
});

test.serial('a checkpoint that names no engine is of the one whose folder it is in', async (t) => {
  const { open, project, folder } = createStage(t);
  await open().save(5, stateOf(5));
  rewriteManifest(project.file(`${folder}/step-5`), ({ engines: _, ...others }) => others);
  const same = open();
  t.is((await same.latest())?.step, 5);
  t.deepEqual(same.engines, [{ engine: 'onnx', from: 0 }]);
  const other = open({ engine: 'reference' });
  t.is((await other.latest())?.step, 5);
  t.is(formatEngines(other.engines), 'onnx, from step 5 reference');

  // Before checkpoints moved, each engine trained by itself: the one that came further counts, its own among equals.
  await open({ engine: 'reference', out: 'alone' }).save(5, stateOf(5));
  const after = open();
  await after.latest();
  t.deepEqual(after.engines, [{ engine: 'onnx', from: 0 }]);
});

test.serial(
  'a checkpoint of an engine that is not known is gone on from, and its name is kept',
  async (t) => {
    const { open, warnings } = createStage(t);
    await open({ engine: 'metal:2' }).save(7, stateOf(7));
    const next = open();
    t.is((await next.latest())?.step, 7);
    t.is(formatEngines(next.engines), 'metal:2, from step 7 onnx');
    t.deepEqual(warnings, ['resumes at step 7, computed by metal:2, with onnx: its results will say so']);
  },
);

test.serial('a checkpoint whose list of engines is none is damaged', async (t) => {
  const told: string[] = [];
  for (const engines of [
    'onnx',
    [null],
    [{ engine: 'onnx' }],
    [{ engine: 'on nx', from: 0 }],
    [{ engine: 'onnx', from: -1 }],
    [
      { engine: 'onnx', from: 3 },
      { engine: 'wasm', from: 3 },
    ],
  ]) {
    const { open, project, folder, warnings } = createStage(t);
    await open().save(4, stateOf(4));
    await open().save(6, stateOf(6));
    rewriteManifest(project.file(`${folder}/step-6`), (manifest) => ({ ...manifest, engines }));
    t.is((await open().latest())?.step, 4, JSON.stringify(engines));
    told.push(...warnings);
  }
  t.deepEqual(
    [...new Set(told)],
    ['the checkpoint of step 6 is damaged (its list of engines is broken): going on from step 4'],
  );
  t.is(told.length, 6);
});
