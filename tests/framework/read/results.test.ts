import fs from 'node:fs';
import test from 'ava';
import quickstart from '../../../experiments/quickstart.ts';
import { readResults } from '../../../framework/read/results.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { createRig } from '../../e2e/support/rig.ts';

test('results are read back by variant, task and seed, with history, files and provenance', async (t) => {
  const rig = createRig(t);
  const empty = await readResults('experiment.ts', { cwd: rig.dir });
  t.is(empty.cells.length, 4);
  t.true(empty.cells.every(({ metrics, history }) => metrics === undefined && history().length === 0));

  await rig.peco('run', 'experiment.ts', '--upto', 'downstream/peco/probe/seed-0');
  const results = await readResults('experiment.ts', { cwd: rig.dir });
  t.deepEqual(results.variants, ['beit', 'peco']);
  t.is(results.baseline, 'beit');
  const cell = results.cells.find(({ variant, task }) => variant === 'peco' && task === 'probe')!;
  // The rig's stages score the length of their label, probe-peco-0, and log three losses.
  t.deepEqual(cell.metrics as object, { score: 12, another: 0 });
  t.deepEqual(
    cell.history() as object[],
    [1, 2, 3].map((step) => ({ step, loss: 1 / step })),
  );
  t.is(fs.readFileSync(cell.files['weights.txt']!, 'utf8').split('\n')[0], '"probe"');
  t.like(cell.provenance, { engine: 'onnx' });
  t.deepEqual(results.values('peco', 'probe', 'score'), [12]);
  t.deepEqual(results.values('beit', 'probe', 'score'), []);
});

test('an experiment that is not valid is refused as by the command line', async (t) => {
  const rig = createRig(t);
  rig.edit('experiment.ts', "baseline: 'beit'", "baseline: 'bite'");
  const error = await t.throwsAsync(readResults('experiment.ts', { cwd: rig.dir }));
  t.regex(formatError(error), /did you mean "beit"\?/);
});

test('of an experiment that is given as itself the compiler knows variants and tasks', async (t) => {
  const rig = createRig(t);
  const results = await readResults(quickstart, { cwd: rig.dir, store: rig.file('empty') });
  t.deepEqual([...results.variants].sort(), ['beit', 'peco', 'pixel', 'scratch']);
  t.deepEqual(results.values('peco', 'probe', 'top1'), []);
  t.deepEqual(results.values('peco@size=512', 'tokenizer', 'psnr'), []);
  // @ts-expect-error no such variant
  t.deepEqual(results.values('pecco', 'probe', 'top1'), []);
  // @ts-expect-error no such task
  t.deepEqual(results.values('peco', 'prob', 'top1'), []);
});
