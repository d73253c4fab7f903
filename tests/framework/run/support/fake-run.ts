import fs from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { loadExperiment } from '../../../../framework/experiment/load.ts';
import { resolveGraph } from '../../../../framework/plan/graph.ts';
import { planRun } from '../../../../framework/plan/plan.ts';
import type { JobControl, JobResult, StageJob } from '../../../../framework/run/executors/executor.ts';
import type { Timer } from '../../../../framework/run/limit.ts';
import type { RunOptions } from '../../../../framework/run/options.ts';
import type { RunEvent } from '../../../../framework/run/record/events.ts';
import { runExperiment } from '../../../../framework/run/run.ts';
import type { Resources } from '../../../../framework/stage/component.ts';
import { openStore, type Store } from '../../../../framework/store/store.ts';
import { createRig, until } from '../../../support/rig.ts';

/** A run whose stages end when the test says so: nothing is forked. */
export async function startRun(
  t: ExecutionContext,
  options: Pick<RunOptions, 'jobs' | 'cores' | 'memory' | 'recorded' | 'failFast' | 'retries' | 'timeout'> & {
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
      source: { file: rig.file('experiment.ts'), command: [], config: {}, git: async () => null },
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
