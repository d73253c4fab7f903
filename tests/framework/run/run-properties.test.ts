import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import { resolveGraph } from '../../../framework/plan/graph.ts';
import { planRun } from '../../../framework/plan/plan.ts';
import type { JobResult } from '../../../framework/run/executors/executor.ts';
import type { RunEvent } from '../../../framework/run/record/events.ts';
import { runExperiment } from '../../../framework/run/run.ts';
import type { Resources } from '../../../framework/stage/component.ts';
import { openStore } from '../../../framework/store/store.ts';
import { createRig } from '../../support/rig.ts';

const stages = 9;
const results: { readonly [name: string]: JobResult } = {
  done: { type: 'done', images: 0 },
  thrown: { type: 'failed', failure: { message: 'the loss is NaN' }, tail: [] },
  crash: { type: 'failed', failure: { message: 'killed' }, tail: [], crashed: true },
};

const scenario = fc.record({
  jobs: fc.integer({ min: 1, max: 4 }),
  cores: fc.integer({ min: 1, max: 8 }),
  memory: fc.integer({ min: 1, max: 100 }),
  failFast: fc.boolean(),
  retries: fc.integer({ min: 0, max: 2 }),
  resources: fc.array(
    fc.record(
      { cores: fc.integer({ min: 1, max: 8 }), memory: fc.integer({ min: 1, max: 120 }) },
      { requiredKeys: [] },
    ),
    { minLength: stages, maxLength: stages },
  ),
  /** How each process ends, in the order of their ends. */
  ends: fc.infiniteStream(fc.constantFrom('done', 'done', 'done', 'done', 'thrown', 'crash')),
  picks: fc.infiniteStream(fc.nat()),
});

test('whatever stages need and however they end: limits hold, every stage comes to an end, and so does the run', async (t) => {
  const rig = createRig(t);
  const { experiment } = await loadExperiment('experiment.ts', { cwd: rig.dir });
  let count = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const store = openStore(rig.file(`store-${count++}`));
      const plan = await planRun(resolveGraph(experiment), { store, root: rig.dir });
      const wanted = new Map<string, Resources>();
      plan.stages.forEach(({ node }, index) => {
        const resources = given.resources[index]!;
        wanted.set(node.id, resources);
        Object.assign(node, { component: { ...node.component, resources } });
      });
      const running = new Map<string, { readonly threads: number; end(): void }>();
      const tries = new Map<string, number>();
      const events: RunEvent[] = [];
      const broken: string[] = [];
      const never = new AbortController().signal;

      function check(stage: string, threads: number): void {
        const memory = [...running.keys()].reduce((sum, id) => sum + (wanted.get(id)!.memory ?? 0), 0);
        if (running.size > given.jobs) broken.push(`${running.size} at once`);
        if (running.size > 1 && memory > given.memory) broken.push(`${memory} MiB`);
        if (threads < 1 || threads > (wanted.get(stage)!.cores ?? given.cores))
          broken.push(`${threads} threads`);
      }

      /** Ends one of those that run, when all that could start has started. */
      function endOne(): void {
        const open = [...running.values()];
        if (open.length > 0) open[given.picks.next().value % open.length]!.end();
      }

      const outcome = await runExperiment(
        plan,
        {
          ...given,
          store,
          root: rig.dir,
          results: rig.file('results'),
          source: { file: rig.file('experiment.ts'), command: [], config: {}, git: async () => null },
          engine: 'fake',
          stop: never,
          kill: never,
          executor: (job, control) =>
            new Promise((resolve) => {
              const { threads } = job.engine;
              tries.set(job.stage, (tries.get(job.stage) ?? 0) + 1);
              fs.writeFileSync(path.join(job.outDir, 'weights.txt'), job.stage);
              const finish = (result: JobResult) => {
                running.delete(job.stage);
                resolve(result);
              };
              running.set(job.stage, { threads, end: () => finish(results[given.ends.next().value]!) });
              check(job.stage, threads);
              control.stop.addEventListener('abort', () => finish({ type: 'interrupted' }));
              setImmediate(endOne);
            }),
        },
        (event) => events.push(event),
      );

      const { counts } = outcome;
      t.deepEqual(broken, []);
      t.is(running.size, 0);
      t.is(
        Object.values(counts).reduce((sum, many) => sum + many, 0),
        stages,
      );
      t.true([...tries.values()].every((many) => many <= 1 + given.retries));
      t.is(outcome.status, counts.failed > 0 ? 'failed' : 'done');
      // Without fail-fast only what depends on a failure is left out.
      if (!given.failFast) t.is(counts.interrupted + counts.unstarted, 0);
      t.is(fs.readdirSync(path.join(store.dir, 'tmp')).length, 0);
      const ran = events.flatMap((event) => (event.type === 'stage-finished' ? [event.stage] : []));
      t.is(new Set(ran).size, counts.ran);
    }),
    { numRuns: 15 },
  );
});
