import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import { resolveGraph } from '../../../framework/plan/graph.ts';
import { planRun } from '../../../framework/plan/plan.ts';
import type { RunEvent } from '../../../framework/run/events.ts';
import type { JobResult, StageJob } from '../../../framework/run/executor.ts';
import { runExperiment } from '../../../framework/run/scheduler.ts';
import { openStore, type Store } from '../../../framework/store/store.ts';
import { createRig, until } from '../../e2e/support/rig.ts';

/** A run whose stages end when the test says so: nothing is forked. */
async function startRun(
  t: ExecutionContext,
  options: { readonly jobs: number; readonly cores: number; readonly wrap?: (store: Store) => Store },
) {
  const rig = createRig(t);
  const { experiment } = await loadExperiment('experiment.ts', { cwd: rig.dir });
  const store = openStore(rig.file('store'));
  const plan = await planRun(resolveGraph(experiment), { store, root: rig.dir });
  const open = new Map<string, { job: StageJob; end(result: JobResult): void }>();
  const started: string[] = [];
  const events: RunEvent[] = [];
  const stop = new AbortController();
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
      executor: (job) => {
        started.push(`${job.stage} ${job.engine.threads}`);
        return new Promise((end) => open.set(job.stage, { job, end }));
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
  return { rig, store, outcome, events, open, finish, startsUpTo, stop };
}

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
