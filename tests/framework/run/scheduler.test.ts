import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import { resolveGraph } from '../../../framework/plan/graph.ts';
import { planRun } from '../../../framework/plan/plan.ts';
import type { RunEvent } from '../../../framework/run/events.ts';
import type { JobControl, JobResult, StageJob } from '../../../framework/run/executor.ts';
import { graceSeconds, type Timer } from '../../../framework/run/limit.ts';
import { type RunOptions, runExperiment } from '../../../framework/run/scheduler.ts';
import type { Resources } from '../../../framework/stage/component.ts';
import { openStore, type Store } from '../../../framework/store/store.ts';
import { createRig, until } from '../../e2e/support/rig.ts';

/** A run whose stages end when the test says so: nothing is forked. */
async function startRun(
  t: ExecutionContext,
  options: Pick<RunOptions, 'jobs' | 'cores' | 'memory' | 'failFast' | 'retries' | 'timeout'> & {
    readonly wrap?: (store: Store) => Store;
    /** Component kind, as the rig has it -> what its stages need. */
    readonly resources?: { readonly [kind: string]: Resources };
  },
) {
  const rig = createRig(t);
  for (const [kind, wanted] of Object.entries(options.resources ?? {})) {
    rig.edit(
      'parts/config.ts',
      `kind: '${kind}'`,
      `kind: '${kind}', resources: () => (${JSON.stringify(wanted)})`,
    );
  }
  const { experiment } = await loadExperiment('experiment.ts', { cwd: rig.dir });
  const store = openStore(rig.file('store'));
  const plan = await planRun(resolveGraph(experiment), { store, root: rig.dir });
  const open = new Map<string, { job: StageJob; control: JobControl; end(result: JobResult): void }>();
  const started: string[] = [];
  const events: RunEvent[] = [];
  const stop = new AbortController();
  const clock = createClock();
  const outcome = runExperiment(
    plan,
    {
      ...options,
      store: options.wrap?.(store) ?? store,
      root: rig.dir,
      results: rig.file('results'),
      engine: 'fake',
      stop: stop.signal,
      kill: new AbortController().signal,
      timer: clock.timer,
      executor: (job, control) => {
        started.push(`${job.stage} ${job.engine.threads}`);
        return new Promise((end) => open.set(job.stage, { job, control, end }));
      },
    },
    (event) => events.push(event),
  );
  async function finish(stage: string, result: JobResult = { type: 'done', images: 0 }): Promise<void> {
    await until(() => open.has(stage));
    const { job, end } = open.get(stage)!;
    open.delete(stage);
    fs.writeFileSync(path.join(job.outDir, 'weights.txt'), stage);
    end(result);
  }
  /** Waits for this many starts in all, and tells those since the last call. */
  let seen = 0;
  async function startsUpTo(many: number): Promise<string[]> {
    await until(() => started.length >= many);
    // Sorted, since those that start together come here in any order.
    const fresh = started.slice(seen).sort();
    seen = started.length;
    return fresh;
  }
  return { rig, store, outcome, events, open, finish, startsUpTo, stop, clock };
}

/** Time that passes when the test says so, in seconds. */
function createClock() {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly then: () => void }>();
  const timer: Timer = (seconds, then) => {
    const one = { at: now + seconds, then };
    timers.add(one);
    return { cancel: () => timers.delete(one) };
  };
  return {
    timer,
    pending: () => timers.size,
    pass(seconds: number): void {
      now += seconds;
      for (const one of [...timers]) {
        if (one.at > now) continue;
        timers.delete(one);
        one.then();
      }
    },
  };
}

const crash: JobResult = {
  type: 'failed',
  failure: { message: 'its process was killed (SIGKILL)' },
  tail: ['epoch 3'],
  crashed: true,
};
const thrown: JobResult = { type: 'failed', failure: { message: 'the loss is NaN' }, tail: [] };

test('stages that run at once share the cores', async (t) => {
  const { outcome, finish, startsUpTo } = await startRun(t, { jobs: 4, cores: 8 });
  t.deepEqual(await startsUpTo(2), ['tokenizer/beit 4', 'tokenizer/peco 4']);
  await finish('tokenizer/beit');
  t.deepEqual(await startsUpTo(4), ['evaluation/beit 2', 'pretraining/beit/base/seed-0 2']);
  await finish('tokenizer/peco');
  t.deepEqual(await startsUpTo(6), ['evaluation/peco 2', 'pretraining/peco/base/seed-0 2']);
  for (const variant of ['beit', 'peco']) {
    await finish(`evaluation/${variant}`);
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
    'tokenizer/beit 2',
    'tokenizer/peco 2',
    'pretraining/beit/base/seed-0 2',
    'pretraining/peco/base/seed-0 2',
    'evaluation/beit 2',
    'evaluation/peco 2',
    'downstream/beit/probe/seed-0 2',
    'downstream/peco/probe/seed-0 2',
    'report 2',
  ]);
  t.is((await outcome).counts.ran, 9);
});

test('an upstream result is handed on as a folder, with all that is above it', async (t) => {
  const { finish, open, stop, outcome } = await startRun(t, { jobs: 2, cores: 2 });
  await finish('tokenizer/beit');
  await until(() => open.has('pretraining/beit/base/seed-0'));
  const { job } = open.get('pretraining/beit/base/seed-0')!;
  const tokenizer = job.descriptors[job.inputs.tokenizer!]!;
  t.is(fs.readFileSync(path.join(tokenizer.dir, 'weights.txt'), 'utf8'), 'tokenizer/beit');
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
  t.like(failure, { stage: 'tokenizer/peco', failure: { message: 'no space left' } });
});

test('once it is stopped no stage starts any more', async (t) => {
  const { outcome, finish, stop, startsUpTo, store } = await startRun(t, { jobs: 1, cores: 1 });
  await startsUpTo(1);
  stop.abort();
  // It had all it needed and finished: that is worth keeping.
  await finish('tokenizer/beit');
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
  t.deepEqual(await startsUpTo(2), ['tokenizer/beit 4', 'tokenizer/peco 4']);
  await finish('tokenizer/beit');
  t.deepEqual(await startsUpTo(3), ['pretraining/beit/base/seed-0 4']);
  await finish('pretraining/beit/base/seed-0');
  t.deepEqual(await startsUpTo(4), ['evaluation/beit 1']);
  await finish('tokenizer/peco');
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
  t.deepEqual(await startsUpTo(1), ['tokenizer/beit 4']);
  await finish('tokenizer/beit');
  // The evaluation says nothing of memory; the pretraining fits nowhere and waits.
  t.deepEqual(await startsUpTo(3), ['evaluation/beit 2', 'tokenizer/peco 2']);
  await finish('tokenizer/peco');
  // Before the other evaluation ends: with nothing beside it a pretraining would start first, having a longer way to go.
  t.deepEqual((await startsUpTo(4)).length, 1);
  await finish('evaluation/beit');
  await finish('evaluation/peco');
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

test('a stage whose process dies is started again with its scratch and an empty folder for outputs', async (t) => {
  const { startsUpTo, finish, open, events, stop, outcome } = await startRun(t, {
    jobs: 1,
    cores: 1,
    retries: 1,
  });
  await startsUpTo(1);
  await until(() => open.has('tokenizer/beit'));
  const first = open.get('tokenizer/beit')!.job;
  fs.writeFileSync(path.join(first.scratchDir, 'checkpoint'), 'step 3');
  await finish('tokenizer/beit', crash);
  t.deepEqual(await startsUpTo(2), ['tokenizer/beit 1']);
  const second = open.get('tokenizer/beit')!.job;
  t.is(fs.readFileSync(path.join(second.scratchDir, 'checkpoint'), 'utf8'), 'step 3');
  t.not(second.outDir, first.outDir);
  t.deepEqual(fs.readdirSync(second.outDir), []);
  t.false(fs.existsSync(first.outDir));
  await finish('tokenizer/beit');
  await startsUpTo(3);
  const finished = events.find((event) => event.type === 'stage-finished');
  t.like(finished, { stage: 'tokenizer/beit', origin: 'ran' });
  t.like(
    events.find((event) => event.type === 'stage-retrying'),
    { stage: 'tokenizer/beit', retry: 1, of: 1, failure: { message: 'its process was killed (SIGKILL)' } },
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
    await finish(stage!, stage === 'tokenizer/beit' ? result : undefined);
  }
  return { starts: starts.filter((start) => start.startsWith('tokenizer/beit')).length, ...(await outcome) };
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
  const { control } = open.get('tokenizer/peco')!;
  await finish('tokenizer/beit', thrown);
  await until(() => control.stop.aborted);
  t.false(control.kill.aborted);
  await finish('tokenizer/peco', { type: 'interrupted', tail: ['epoch 7'] });
  const { status, counts } = await outcome;
  t.is(status, 'failed');
  t.like(counts, { failed: 1, interrupted: 1, unstarted: 7, ran: 0 });
  const brief = events.flatMap((event) => (event.type.startsWith('stage-started') ? [] : [event.type]));
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
  await finish('tokenizer/beit', crash);
  await startsUpTo(2);
  await until(() => open.size === 1);
  t.false(open.get('tokenizer/beit')!.control.stop.aborted);
  await finish('tokenizer/beit', crash);
  t.like(await outcome, { status: 'failed', counts: { failed: 1, unstarted: 8 } });
});

test('Ctrl-C while fail-fast stops a run counts as interrupted', async (t) => {
  const { finish, open, outcome, startsUpTo, stop } = await startRun(t, {
    jobs: 2,
    cores: 2,
    failFast: true,
  });
  await startsUpTo(2);
  await finish('tokenizer/beit', thrown);
  stop.abort();
  await until(() => open.size === 1);
  await finish('tokenizer/peco', { type: 'interrupted' });
  t.is((await outcome).status, 'interrupted');
});

test('a stage is told to stop at the time limit, and killed when it does not', async (t) => {
  const { finish, open, outcome, startsUpTo, clock, events } = await startRun(t, {
    jobs: 1,
    cores: 1,
    timeout: 600,
    failFast: true,
  });
  await startsUpTo(1);
  await until(() => open.size === 1);
  const { control } = open.get('tokenizer/beit')!;
  clock.pass(599);
  t.false(control.stop.aborted);
  clock.pass(1);
  t.true(control.stop.aborted);
  clock.pass(graceSeconds - 1);
  t.false(control.kill.aborted);
  clock.pass(1);
  t.true(control.kill.aborted);
  await finish('tokenizer/beit', { type: 'interrupted', tail: ['epoch 9'] });
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
  await finish('tokenizer/beit', crash);
  await startsUpTo(2);
  await until(() => open.size === 1);
  clock.pass(40);
  t.true(open.get('tokenizer/beit')!.control.stop.aborted);
  // Told to stop it died, and gets no other try.
  await finish('tokenizer/beit', crash);
  await startsUpTo(3);
  await until(() => open.has('tokenizer/peco'));
  clock.pass(99);
  await finish('tokenizer/peco');
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
