import fs from 'node:fs';
import test from 'ava';
import { createRanRig } from '../support/ran-rig.ts';
import { createRig, everyStage, normalise } from '../support/rig.ts';

test('a second run runs nothing, leaves the table alone and says the same', async (t) => {
  const rig = createRig(t);
  const first = await rig.peco('run', 'experiment.ts', '--jobs', '1');
  t.is(first.code, 0);
  t.is(first.stderr, '');
  t.deepEqual(rig.takeRan(), everyStage);
  t.snapshot(normalise(first.stdout, rig));
  const table = fs.statSync(rig.file('results/rig/ablation.md'), { bigint: true });

  const second = await rig.peco('run', 'experiment.ts');
  t.is(second.code, 0);
  t.deepEqual(rig.takeRan(), []);
  t.snapshot(normalise(second.stdout, rig));
  const after = fs.statSync(rig.file('results/rig/ablation.md'), { bigint: true });
  t.is(after.mtimeNs, table.mtimeNs);
  t.is(after.ino, table.ino);
});

test('a table that was deleted or damaged comes back without running anything', async (t) => {
  const rig = await createRanRig(t);
  const table = rig.read('results/rig/ablation.md');
  rig.takeRan();
  rig.write({ 'results/rig/ablation.md': 'spoilt' });
  fs.rmSync(rig.file('results/rig/ablation.csv'));
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  t.deepEqual(rig.takeRan(), []);
  t.is(rig.read('results/rig/ablation.md'), table);
  t.true(fs.existsSync(rig.file('results/rig/ablation.csv')));
});

test('a changed field reruns its stage and what depends on it', async (t) => {
  const rig = await createRanRig(t);
  const changed = await rig.peco('run', 'experiment.ts', '--set', 'tokenizers.peco.weight=3', '--jobs', '1');
  t.deepEqual(rig.takeRan(), ['eval-peco-0', 'mim-peco-0', 'peco-0', 'probe-peco-0', 'report']);
  t.snapshot(normalise(changed.stdout, rig));
  // Going back finds the results of before.
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  t.deepEqual(rig.takeRan(), []);
});

test('a stage that reran and put out the same bytes reruns nothing else', async (t) => {
  const rig = await createRanRig(t);
  rig.write({ 'parts/tokenizer.ts': "export const other = 1;\nexport { run } from './stage.ts';\n" });
  const { code, stdout } = await rig.peco('run', 'experiment.ts', '--jobs', '1');
  t.is(code, 0);
  t.deepEqual(rig.takeRan(), ['beit-0', 'peco-0']);
  t.snapshot(normalise(stdout, rig));
});

test('the number of jobs does not change a byte of the results', async (t) => {
  const rig = await createRanRig(t); // by two jobs
  const { code } = await rig.peco(
    ...['run', 'experiment.ts', '--jobs', '1', '--store', 'store', '--out', 'out'],
  );
  t.is(code, 0);
  t.deepEqual(rig.takeRan(), everyStage);
  for (const name of ['ablation.md', 'ablation.csv']) {
    t.is(rig.read(`out/rig/${name}`), rig.read(`results/rig/${name}`));
  }
  t.deepEqual(fs.readdirSync(rig.file('store/entries')), rig.entries());
});

test('an entry holds what the stage wrote, its numbers and its history', async (t) => {
  const rig = createRig(t);
  const { code } = await rig.peco(
    'run',
    'experiment.ts',
    '--upto',
    'tokenizer/peco',
    '--engine',
    'reference',
  );
  t.is(code, 0);
  t.deepEqual(rig.takeRan(), ['peco-0']);
  const dir = `.peco/entries/${rig.entries()[0]}`;
  t.is(rig.read(`${dir}/outputs/weights.txt`), '"peco"\ntrain images of train2');
  t.deepEqual(JSON.parse(rig.read(`${dir}/outputs/metrics.json`)), {
    engine: 'reference',
    metrics: { another: 0, score: 6 },
  });
  t.is(rig.read(`${dir}/outputs/metrics.jsonl`).split('\n')[1], '{"step":2,"loss":0.5}');
  const { provenance } = JSON.parse(rig.read(`${dir}/manifest.json`));
  t.is(provenance.images, 24);
  t.is(provenance.engine, 'reference');
  t.true(provenance.threads >= 1);
  t.true(provenance.seconds > 0);
  t.is(provenance.git, null);
  t.false(JSON.stringify(provenance).includes(rig.dir));
});

test('timing.csv has a row for every stage and says which were reused', async (t) => {
  const rig = await createRanRig(t);
  rig.edit('experiment.ts', 'weight: 2', 'weight: 3');
  await rig.peco('run', 'experiment.ts');
  const rows = rig
    .read('results/rig/timing.csv')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  t.deepEqual(rows[0], [
    'stage',
    'kind',
    'seed',
    'wall_seconds',
    'images_per_second',
    'engine',
    'threads',
    'reused',
  ]);
  const reused = Object.fromEntries(rows.slice(1).map((row) => [row[0], row[7]]));
  t.is(Object.keys(reused).length, everyStage.length);
  t.is(reused['tokenizer/beit/seed-0'], 'yes');
  t.is(reused['tokenizer/peco/seed-0'], 'no');
  const beit = rows.find((row) => row[0] === 'tokenizer/beit/seed-0')!;
  t.deepEqual([beit[1], beit[2], beit[5]], ['rig-tokenizer', '0', 'onnx']);
  // 24 images in that time: the two columns agree to rounding.
  t.true(Math.abs(Number(beit[3]) * Number(beit[4]) - 24) < 3);
});

test('--json gives events, one JSON object a line, and nothing else', async (t) => {
  const rig = createRig(t);
  const { stdout, code } = await rig.peco(
    'run',
    'experiment.ts',
    '--json',
    '--jobs',
    '1',
    '--upto',
    'evaluation/beit',
  );
  t.is(code, 0);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.true(events.every((event) => !Number.isNaN(Date.parse(event.time))));
  const brief = events.map(({ type, stage }) => (stage === undefined ? type : `${type} ${stage}`));
  const progress = brief.filter((line) => line.startsWith('stage-progress'));
  t.true(progress.length >= 2, 'at least the last step of each stage');
  t.deepEqual(
    brief.filter((line) => !line.startsWith('stage-progress')),
    [
      'run-started',
      'stage-started tokenizer/beit/seed-0',
      'stage-logging tokenizer/beit/seed-0',
      'stage-finished tokenizer/beit/seed-0',
      'stage-started evaluation/beit/seed-0',
      'stage-logging evaluation/beit/seed-0',
      'stage-finished evaluation/beit/seed-0',
      'run-finished',
    ],
  );
  const last = events.findLast((event) => event.type === 'stage-progress');
  t.like(last, { step: 3, of: 3, images: 24, values: { loss: 1 / 3 } });
  t.like(events.at(-1), { status: 'done', counts: { ran: 2, hit: 0, failed: 0 } });
});

test('plan shows what would run and runs nothing', async (t) => {
  const rig = await createRanRig(t);
  const { stdout, code } = await rig.peco('plan', 'experiment.ts', '--set', 'tokenizers.peco.weight=3');
  t.is(code, 0);
  t.deepEqual(rig.takeRan(), []);
  // Columns are as wide as the times in them.
  t.snapshot(normalise(stdout, rig).replaceAll(/(?<=\S) {2,}/g, '  '));
  const json = JSON.parse((await rig.peco('plan', 'experiment.ts', '--json')).stdout);
  t.is(json.stages.length, everyStage.length);
  t.like(json.stages[0], { stage: 'tokenizer/beit/seed-0', kind: 'rig-tokenizer', status: 'hit', needs: [] });
});

test('an edit of a stage reruns it, an edit of its comments does not', async (t) => {
  const rig = await createRanRig(t);
  rig.edit('parts/report.ts', 'const rows', '// the rows\nconst rows');
  await rig.peco('run', 'experiment.ts');
  t.deepEqual(rig.takeRan(), []);
  rig.edit('parts/report.ts', "'| variant |", "'| VARIANT |");
  const { stdout } = await rig.peco('run', 'experiment.ts');
  t.deepEqual(rig.takeRan(), ['report']);
  t.true(stdout.includes('| VARIANT |'));
});
