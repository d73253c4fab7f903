import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { JobResult } from '../../../framework/run/executors/executor.ts';
import { graceSeconds } from '../../../framework/run/limit.ts';
import { until } from '../../support/rig.ts';
import { startRun } from './support/fake-run.ts';

const crash: JobResult = {
  type: 'failed',
  failure: { message: 'its process was killed (SIGKILL)' },
  tail: ['epoch 3'],
  crashed: true,
};
const thrown: JobResult = { type: 'failed', failure: { message: 'the loss is NaN' }, tail: [] };

test('a stage whose process dies is started again with its work folder and an empty folder for outputs; what it logged stays', async (t) => {
  const { startsUpTo, finish, open, events, stop, outcome } = await startRun(t, {
    jobs: 1,
    cores: 1,
    retries: 1,
  });
  await startsUpTo(1);
  await until(() => open.has('tokenizer/beit/seed-0'));
  const first = open.get('tokenizer/beit/seed-0')!.job;
  fs.writeFileSync(path.join(first.workDir, 'checkpoint'), 'step 3');
  fs.writeFileSync(path.join(first.outDir, 'metrics.jsonl'), '{"step":1,"loss":3}\n');
  await finish('tokenizer/beit/seed-0', crash);
  t.deepEqual(await startsUpTo(2), ['tokenizer/beit/seed-0 1']);
  const second = open.get('tokenizer/beit/seed-0')!.job;
  t.is(fs.readFileSync(path.join(second.workDir, 'checkpoint'), 'utf8'), 'step 3');
  t.not(second.outDir, first.outDir);
  t.deepEqual(fs.readdirSync(second.outDir), []);
  t.false(fs.existsSync(first.outDir));
  const logged = events.flatMap((event) => (event.type === 'stage-logging' ? [event.file] : []));
  t.deepEqual(
    logged,
    [first.outDir, first.workDir, second.outDir].map((dir) => path.join(dir, 'metrics.jsonl')),
  );
  t.is(fs.readFileSync(logged[1]!, 'utf8'), '{"step":1,"loss":3}\n');
  await finish('tokenizer/beit/seed-0');
  await startsUpTo(3);
  const finished = events.find((event) => event.type === 'stage-finished');
  t.like(finished, { stage: 'tokenizer/beit/seed-0', origin: 'ran' });
  t.like(
    events.find((event) => event.type === 'stage-retrying'),
    {
      stage: 'tokenizer/beit/seed-0',
      retry: 1,
      of: 1,
      failure: { message: 'its process was killed (SIGKILL)' },
    },
  );
  stop.abort();
  for (const stage of [...open.keys()]) await finish(stage, { type: 'interrupted' });
  await outcome;
});

/** Ends the first stage as given, as often as it starts, and every other one well. Returns how often it started. */
async function failFirst(t: ExecutionContext, retries: number, result: JobResult) {
  const { finish, open, outcome, startsUpTo } = await startRun(t, { jobs: 1, cores: 1, retries });
  const starts: string[] = [];
  let ended = false;
  void outcome.then(() => {
    ended = true;
  });
  for (let many = 1; !ended; many++) {
    await until(() => open.size > 0 || ended);
    if (ended) break;
    const [stage] = open.keys();
    starts.push(...(await startsUpTo(many)));
    await finish(stage!, stage === 'tokenizer/beit/seed-0' ? result : undefined);
  }
  return {
    starts: starts.filter((start) => start.startsWith('tokenizer/beit/seed-0')).length,
    ...(await outcome),
  };
}

test('a stage that goes on dying has failed after its retries', async (t) => {
  t.like(await failFirst(t, 2, crash), { starts: 3, status: 'failed', counts: { failed: 1, skipped: 3 } });
});

test('without retries a stage that dies has failed', async (t) => {
  t.like(await failFirst(t, 0, crash), { starts: 1, status: 'failed', counts: { failed: 1 } });
});

test('an error that a stage throws is no reason to try again', async (t) => {
  t.like(await failFirst(t, 2, thrown), { starts: 1, status: 'failed', counts: { failed: 1 } });
});

test('with fail-fast the first failure stops those that run and starts no other', async (t) => {
  const { finish, open, outcome, startsUpTo, events } = await startRun(t, {
    jobs: 2,
    cores: 2,
    failFast: true,
  });
  await startsUpTo(2);
  await until(() => open.size === 2);
  const { control } = open.get('tokenizer/peco/seed-0')!;
  await finish('tokenizer/beit/seed-0', thrown);
  await until(() => control.stop.aborted);
  t.false(control.kill.aborted);
  await finish('tokenizer/peco/seed-0', { type: 'interrupted', tail: ['epoch 7'] });
  const { status, counts } = await outcome;
  t.is(status, 'failed');
  t.like(counts, { failed: 1, interrupted: 1, unstarted: 7, ran: 0 });
  const starting = ['stage-started', 'stage-logging'];
  const brief = events.flatMap(({ type }) => (starting.includes(type) ? [] : [type]));
  t.deepEqual(brief, ['stage-failed', 'run-stopping', 'stage-interrupted']);
  t.like(events.at(-1), { tail: ['epoch 7'] });
});

test('with fail-fast a stage that dies is tried again first', async (t) => {
  const { finish, open, outcome, startsUpTo } = await startRun(t, {
    jobs: 1,
    cores: 1,
    failFast: true,
    retries: 1,
  });
  await startsUpTo(1);
  await finish('tokenizer/beit/seed-0', crash);
  await startsUpTo(2);
  await until(() => open.size === 1);
  t.false(open.get('tokenizer/beit/seed-0')!.control.stop.aborted);
  await finish('tokenizer/beit/seed-0', crash);
  t.like(await outcome, { status: 'failed', counts: { failed: 1, unstarted: 8 } });
});

test('Ctrl-C while fail-fast stops a run counts as interrupted', async (t) => {
  const { finish, open, outcome, startsUpTo, stop } = await startRun(t, {
    jobs: 2,
    cores: 2,
    failFast: true,
  });
  await startsUpTo(2);
  await finish('tokenizer/beit/seed-0', thrown);
  stop.abort();
  await until(() => open.size === 1);
  await finish('tokenizer/peco/seed-0', { type: 'interrupted' });
  t.is((await outcome).status, 'interrupted');
});

test('a stage is asked to stop at the time limit, and killed when it does not', async (t) => {
  const { finish, open, outcome, startsUpTo, clock, events } = await startRun(t, {
    jobs: 1,
    cores: 1,
    timeout: 600,
    failFast: true,
  });
  await startsUpTo(1);
  await until(() => open.size === 1);
  const { control } = open.get('tokenizer/beit/seed-0')!;
  clock.pass(599);
  t.false(control.stop.aborted);
  clock.pass(1);
  t.true(control.stop.aborted);
  clock.pass(graceSeconds - 1);
  t.false(control.kill.aborted);
  clock.pass(1);
  t.true(control.kill.aborted);
  await finish('tokenizer/beit/seed-0', { type: 'interrupted', tail: ['epoch 9'] });
  t.is((await outcome).status, 'failed');
  t.snapshot(events.filter((event) => event.type === 'stage-failed'));
  t.is(clock.pending(), 0);
});

test('the time limit holds for all tries of a stage together, and a stage that is in time is left alone', async (t) => {
  const { finish, open, outcome, startsUpTo, clock, events, stop } = await startRun(t, {
    jobs: 1,
    cores: 1,
    timeout: 100,
    retries: 5,
  });
  await startsUpTo(1);
  clock.pass(60);
  await finish('tokenizer/beit/seed-0', crash);
  await startsUpTo(2);
  await until(() => open.size === 1);
  clock.pass(40);
  t.true(open.get('tokenizer/beit/seed-0')!.control.stop.aborted);
  // Asked to stop it died, and gets no other try.
  await finish('tokenizer/beit/seed-0', crash);
  await startsUpTo(3);
  await until(() => open.has('tokenizer/peco/seed-0'));
  clock.pass(99);
  await finish('tokenizer/peco/seed-0');
  await startsUpTo(4);
  clock.pass(99);
  const [stage] = open.keys();
  t.false(open.get(stage!)!.control.stop.aborted);
  stop.abort();
  clock.pass(1000);
  t.false(open.get(stage!)!.control.kill.aborted, 'stopped by the user, it may take its time');
  await finish(stage!, { type: 'interrupted' });
  t.like(await outcome, { status: 'interrupted', counts: { failed: 1, ran: 1, interrupted: 1 } });
  t.is(events.filter((event) => event.type === 'stage-failed').length, 1);
});
