import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { until } from '../../support/rig.ts';
import { startRun } from './support/fake-run.ts';

test('stages that run at once share the cores', async (t) => {
  const { outcome, finish, startsUpTo } = await startRun(t, { jobs: 4, cores: 8 });
  t.deepEqual(await startsUpTo(2), ['tokenizer/beit/seed-0 4', 'tokenizer/peco/seed-0 4']);
  await finish('tokenizer/beit/seed-0');
  t.deepEqual(await startsUpTo(4), ['evaluation/beit/seed-0 2', 'pretraining/beit/base/seed-0 2']);
  await finish('tokenizer/peco/seed-0');
  t.deepEqual(await startsUpTo(6), ['evaluation/peco/seed-0 2', 'pretraining/peco/base/seed-0 2']);
  for (const variant of ['beit', 'peco']) {
    await finish(`evaluation/${variant}/seed-0`);
    await finish(`pretraining/${variant}/base/seed-0`);
    await finish(`downstream/${variant}/probe/seed-0`);
  }
  await startsUpTo(8);
  await finish('report');
  t.deepEqual((await startsUpTo(9)).at(-1), 'report 8', 'a lone stage gets all cores');
  t.is((await outcome).status, 'done');
});

test('never more stages at once than jobs; those with the longest way to go start first', async (t) => {
  const { outcome, finish, open, startsUpTo } = await startRun(t, { jobs: 1, cores: 2 });
  const order: string[] = [];
  for (let many = 1; many <= 9; many++) {
    order.push(...(await startsUpTo(many)));
    t.is(open.size, 1);
    await finish([...open.keys()][0]!);
  }
  t.deepEqual(order, [
    'tokenizer/beit/seed-0 2',
    'tokenizer/peco/seed-0 2',
    'pretraining/beit/base/seed-0 2',
    'pretraining/peco/base/seed-0 2',
    'evaluation/beit/seed-0 2',
    'evaluation/peco/seed-0 2',
    'downstream/beit/probe/seed-0 2',
    'downstream/peco/probe/seed-0 2',
    'report 2',
  ]);
  t.is((await outcome).counts.ran, 9);
});

test('an upstream result is handed on as a folder, with all that is above it', async (t) => {
  const { finish, open, stop, outcome } = await startRun(t, { jobs: 2, cores: 2 });
  await finish('tokenizer/beit/seed-0');
  await until(() => open.has('pretraining/beit/base/seed-0'));
  const { job } = open.get('pretraining/beit/base/seed-0')!;
  const tokenizer = job.descriptors[job.inputs.tokenizer!]!;
  t.is(fs.readFileSync(path.join(tokenizer.dir, 'weights.txt'), 'utf8'), 'tokenizer/beit/seed-0');
  t.true(fs.existsSync(tokenizer.load!));
  const train = job.descriptors[tokenizer.inputs.train!]!;
  t.like(train, { kind: 'rig-data', dir: '', config: { name: 'train' } });
  t.is(job.inputs.train, tokenizer.inputs.train, 'what is shared is there once');
  stop.abort();
  for (const stage of [...open.keys()]) await finish(stage, { type: 'interrupted' });
  t.is((await outcome).status, 'interrupted');
});

test('a result that cannot be stored fails its stage only', async (t) => {
  const { outcome, finish, events, open } = await startRun(t, {
    jobs: 1,
    cores: 1,
    wrap: (store) => ({
      ...store,
      commit: (key, commit) =>
        commit.fingerprint.config.name === 'peco'
          ? Promise.reject(new Error('no space left'))
          : store.commit(key, commit),
    }),
  });
  let ended = false;
  void outcome.then(() => {
    ended = true;
  });
  while (!ended) {
    await until(() => open.size > 0 || ended);
    for (const stage of [...open.keys()]) await finish(stage);
  }
  t.like((await outcome).counts, { failed: 1, skipped: 3, ran: 5 });
  const failure = events.find((event) => event.type === 'stage-failed');
  t.like(failure, { stage: 'tokenizer/peco/seed-0', failure: { message: 'no space left' } });
});

test('once it is stopped no stage starts any more', async (t) => {
  const { outcome, finish, stop, startsUpTo, store } = await startRun(t, { jobs: 1, cores: 1 });
  await startsUpTo(1);
  stop.abort();
  // It had all it needed and finished: that is worth keeping.
  await finish('tokenizer/beit/seed-0');
  const { status, counts } = await outcome;
  t.is(status, 'interrupted');
  t.like(counts, { ran: 1, unstarted: 8, interrupted: 0 });
  t.is(fs.readdirSync(path.join(store.dir, 'entries')).length, 1);
});

test('a stage gets no more threads than it can use, and the others get those', async (t) => {
  const { startsUpTo, finish, stop, open, outcome } = await startRun(t, {
    jobs: 2,
    cores: 8,
    resources: { 'rig-evaluation': { cores: 1 } },
  });
  t.deepEqual(await startsUpTo(2), ['tokenizer/beit/seed-0 4', 'tokenizer/peco/seed-0 4']);
  await finish('tokenizer/beit/seed-0');
  t.deepEqual(await startsUpTo(3), ['pretraining/beit/base/seed-0 4']);
  await finish('pretraining/beit/base/seed-0');
  t.deepEqual(await startsUpTo(4), ['evaluation/beit/seed-0 1']);
  await finish('tokenizer/peco/seed-0');
  t.deepEqual(await startsUpTo(5), ['pretraining/peco/base/seed-0 7']);
  stop.abort();
  for (const stage of [...open.keys()]) await finish(stage, { type: 'interrupted' });
  await outcome;
});

test('stages that do not fit into memory together run one after the other, smaller ones beside them', async (t) => {
  const { startsUpTo, finish, outcome, events, open } = await startRun(t, {
    jobs: 4,
    cores: 4,
    memory: 1000,
    resources: { 'rig-tokenizer': { memory: 600 }, 'rig-pretraining': { memory: 5000 } },
  });
  t.deepEqual(await startsUpTo(1), ['tokenizer/beit/seed-0 4']);
  await finish('tokenizer/beit/seed-0');
  // The evaluation says nothing of memory; the pretraining fits nowhere and waits.
  t.deepEqual(await startsUpTo(3), ['evaluation/beit/seed-0 2', 'tokenizer/peco/seed-0 2']);
  await finish('tokenizer/peco/seed-0');
  // Before the other evaluation ends: with nothing beside it a pretraining would start first, having a longer way to go.
  t.deepEqual((await startsUpTo(4)).length, 1);
  await finish('evaluation/beit/seed-0');
  await finish('evaluation/peco/seed-0');
  const alone = (await startsUpTo(5)).at(-1)!;
  t.deepEqual([...open.keys()], [alone.replace(/ \d+$/, '')]);
  t.regex(alone, /^pretraining/);
  for (let ended = 5; ended < 10; ended++) {
    await until(() => open.size > 0);
    await finish([...open.keys()][0]!);
    if (ended < 9) await startsUpTo(ended + 1);
  }
  t.is((await outcome).status, 'done');
  t.deepEqual(
    events.flatMap((event) => (event.type === 'warning' ? [[event.stage, event.message]] : [])).sort(),
    ['beit', 'peco'].map((row) => [
      `pretraining/${row}/base/seed-0`,
      'it may take 4.9 GiB of memory, more than the 1.0 GiB for stages here: it runs alone',
    ]),
  );
});

test('a stage that says nothing of memory takes what the most similar one took that was measured', async (t) => {
  const recorded = [
    { kind: 'tokenizer/rig-tokenizer', config: { name: 'beit' }, seconds: 1, memory: 600 },
    { kind: 'pretraining/rig-pretraining', config: { name: 'mim' }, seconds: 1, memory: 100 },
  ];
  const { startsUpTo, finish, outcome, open, events, stop } = await startRun(t, {
    jobs: 4,
    cores: 4,
    memory: 1000,
    recorded,
  });
  t.deepEqual(await startsUpTo(1), ['tokenizer/beit/seed-0 4']);
  // It took less this time, and the other one is more similar to it.
  await finish('tokenizer/beit/seed-0', { type: 'done', images: 0, peakMemory: 100 });
  await startsUpTo(4);
  t.true(open.has('tokenizer/peco/seed-0'));
  // An evaluation takes most of what there is, as is known when it has ended: the next one waits for room.
  await finish('evaluation/beit/seed-0', { type: 'done', images: 0, peakMemory: 950 });
  await until(() =>
    events.some((one) => one.type === 'stage-finished' && one.stage === 'evaluation/beit/seed-0'),
  );
  await finish('tokenizer/peco/seed-0', { type: 'done', images: 0, peakMemory: 100 });
  const [then, ...others] = await startsUpTo(5);
  t.regex(then!, /^pretraining\/peco/);
  t.deepEqual(others, []);
  t.false(open.has('evaluation/peco/seed-0'));
  stop.abort();
  for (const stage of [...open.keys()]) await finish(stage, { type: 'interrupted' });
  await outcome;
});
