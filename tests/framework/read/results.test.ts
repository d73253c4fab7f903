import fs from 'node:fs';
import test from 'ava';
import quickstart from '../../../experiments/quickstart.ts';
import { readResults } from '../../../framework/read/results.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { portable } from '../../support/project.ts';
import { createRig } from '../../support/rig.ts';

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

test('tokenizers have a number for each seed, in the order of the seeds; a shared one has one', async (t) => {
  const rig = createRig(t);
  rig.edit('experiment.ts', 'seeds: [0]', 'seeds: [3, 1]');
  rig.edit('parts/config.ts', 'weight: z.number()', 'seed: z.int().optional(), weight: z.number()');
  rig.edit('experiment.ts', "name: 'beit'", "name: 'beit', seed: 7");
  // A metric of one row, called as what every object has.
  rig.edit(
    'parts/stage.ts',
    'another: context.seed',
    "another: context.seed, ...(label.includes('peco') && { constructor: 1 })",
  );
  await rig.peco('run', 'experiment.ts', '--upto', 'evaluation');
  const results = await readResults('experiment.ts', { cwd: rig.dir });
  // The metric \`another\` of the rig's stages is their seed.
  t.deepEqual(results.values('peco', 'tokenizer', 'another'), [3, 1]);
  t.deepEqual(results.values('beit', 'tokenizer', 'another'), [7]);
  t.deepEqual(results.values('peco', 'tokenizer', 'constructor'), [1, 1]);
  t.deepEqual(results.values('beit', 'tokenizer', 'constructor'), []);
  t.deepEqual(
    results.cells.map(({ variant, task, seed, stage }) => `${variant} ${task} ${seed}: ${stage}`),
    [
      'beit tokenizer 7: evaluation/beit',
      'peco tokenizer 3: evaluation/peco/seed-3',
      'peco tokenizer 1: evaluation/peco/seed-1',
      ...['beit', 'peco'].flatMap((row) =>
        [3, 1].map((seed) => `${row} probe ${seed}: downstream/${row}/probe/seed-${seed}`),
      ),
    ],
  );
});

test('a name that is none is an error with near names, and not an empty list', async (t) => {
  const rig = createRig(t);
  const empty = await readResults('experiment.ts', { cwd: rig.dir });
  t.deepEqual(empty.values('peco', 'probe', 'anything'), [], 'nothing ran: the metrics are unknown');
  await rig.peco('run', 'experiment.ts', '--upto', 'downstream/peco/probe/seed-0');
  const results = await readResults('experiment.ts', { cwd: rig.dir });
  const asked: readonly (readonly [string, string, string])[] = [
    ['pecoo', 'probe', 'score'],
    ['peco', 'prob', 'score'],
    ['peco', 'probe', 'scor'],
    ['beit', 'probe', 'top1'],
  ];
  t.snapshot(
    asked.map(([variant, task, metric]) =>
      // As a script in plain JavaScript would: no compiler knows the names.
      formatError(t.throws(() => results.values(variant as 'peco', task as 'tokenizer', metric))),
    ),
  );
  t.deepEqual(results.values('peco', 'tokenizer', 'anything'), [], 'no evaluation ran');
});

test('a store that was named and is not there is an error; one by default is only empty', async (t) => {
  const rig = createRig(t);
  for (const store of ['nowhere', 'package.json']) {
    const error = await t.throwsAsync(readResults('experiment.ts', { cwd: rig.dir, store }));
    t.snapshot(portable(formatError(error), rig));
  }
  t.is((await readResults('experiment.ts', { cwd: rig.dir })).cells.length, 4);
});

test('an experiment that is not valid is refused as by the command line', async (t) => {
  const rig = createRig(t);
  rig.edit('experiment.ts', "baseline: 'beit'", "baseline: 'bite'");
  const error = await t.throwsAsync(readResults('experiment.ts', { cwd: rig.dir }));
  t.regex(formatError(error), /did you mean "beit"\?/);
});

test('of an experiment that is given as itself the compiler knows variants and tasks', async (t) => {
  const rig = createRig(t);
  fs.mkdirSync(rig.file('empty'));
  const results = await readResults(quickstart, { cwd: rig.dir, store: rig.file('empty') });
  t.deepEqual([...results.variants].sort(), ['beit', 'peco', 'pixel', 'scratch', 'untrained']);
  t.deepEqual(results.values('peco', 'probe', 'top1'), []);
  // A sweep could have it.
  t.throws(() => results.values('peco@size=512', 'tokenizer', 'psnr'));
  // @ts-expect-error no such variant
  t.throws(() => results.values('pecco', 'probe', 'top1'));
  // @ts-expect-error no such task
  t.throws(() => results.values('peco', 'prob', 'top1'));
});

test('of an experiment that is given as itself the compiler knows metrics, by task', async (t) => {
  const rig = createRig(t);
  fs.mkdirSync(rig.file('empty'));
  const { cells, values } = await readResults(quickstart, { cwd: rig.dir, store: rig.file('empty') });
  t.deepEqual(values('peco', 'tokenizer', 'psnr'), []);
  // @ts-expect-error a probe has no such metric
  t.deepEqual(values('peco', 'probe', 'psnr'), [], 'nothing ran: only the compiler knows');
  // @ts-expect-error a tokenizer has no such metric
  t.deepEqual(values('peco', 'tokenizer', 'top1'), []);
  for (const cell of cells) {
    if (cell.task === 'tokenizer') t.is(cell.metrics?.usage, undefined);
    // @ts-expect-error that is one of tokenizers
    if (cell.task === 'finetune') t.is(cell.metrics?.usage, undefined);
  }
});
