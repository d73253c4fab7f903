import test from 'ava';
import fc from 'fast-check';
import type { PlannedStage } from '../../../framework/plan/plan.ts';
import type { StageNode } from '../../../framework/plan/types.ts';
import type { Capacity } from '../../../framework/run/capacity.ts';
import { type Action, next, type Task, Tasks } from '../../../framework/run/tasks.ts';
import type { Resources } from '../../../framework/stage/component.ts';
import { component, result, stage, tasksOf } from './support/fake-tasks.ts';

const plenty: Capacity = { jobs: 99, cores: 99, memory: 99 };

/** What is done next, in words: `look 3`, `start 0`. */
function steps(tasks: Tasks, capacity = plenty, stopping = false): string[] {
  const resourcesOf = ({ node }: Task) => ({ memory: node.id === '3' ? 60 : 1 });
  return next(tasks, { capacity, stopping, resourcesOf }).map(({ type, task }) => `${type} ${task.node.id}`);
}

function finish(tasks: Tasks, id: number | string, how: 'ran' | 'failed' = 'ran'): void {
  const task = tasks.all.find(({ node }) => node.id === String(id))!;
  tasks.settle(task, how, how === 'ran' ? result : { at: task.node });
}

function lose(tasks: Tasks, id: number, cause: number): void {
  tasks.settle(tasks.all[id]!, 'skipped', { at: tasks.all[cause]!.node });
}

function bring(tasks: Tasks, id: number, phase: Task['phase']): void {
  tasks.move(tasks.all[id]!, phase);
}

test('a stage is looked up when its inputs are known, and starts when no other is being looked up', (t) => {
  const tasks = tasksOf([[], [0], []]);
  // Two stages need nothing.
  t.deepEqual(steps(tasks), ['look 0', 'look 2']);
  bring(tasks, 0, 'looking');
  bring(tasks, 2, 'looking');
  t.deepEqual(steps(tasks), []);
  // One isn't stored: it waits for what the other look says, since they share the cores.
  bring(tasks, 0, 'ready');
  t.deepEqual(steps(tasks), []);
  bring(tasks, 2, 'ready');
  t.deepEqual(steps(tasks), ['start 0', 'start 2'], 'that with the longer chain first');
  t.deepEqual(steps(tasks, { ...plenty, jobs: 1 }), ['start 0']);
});

test('what the plan found is used again, unless something upstream was lost', (t) => {
  const tasks = tasksOf([[], [0]], [0, 1, 2]);
  t.deepEqual(steps(tasks), ['reuse 0']);
  finish(tasks, 0);
  t.deepEqual(steps(tasks), ['reuse 1']);
  finish(tasks, 1, 'failed');
  t.deepEqual(steps(tasks), ['lose report']);
});

test('what needs a failed stage is skipped; the report is made without it', (t) => {
  const tasks = tasksOf([[], [0], [1], []]);
  finish(tasks, 0, 'failed');
  finish(tasks, 3);
  t.deepEqual(steps(tasks), ['lose 1']);
  lose(tasks, 1, 0);
  const [lost] = next(tasks, { capacity: plenty, stopping: false, resourcesOf: () => ({}) });
  t.is(lost?.type === 'lose' && lost.loss.at.id, '0', 'not the one that was skipped itself');
  lose(tasks, 2, 0);
  const [look] = next(tasks, { capacity: plenty, stopping: false, resourcesOf: () => ({}) });
  t.deepEqual(look?.type === 'look' && Object.keys(look.node.inputs), ['3/probe/0']);
  t.like(look?.type === 'look' && look.node.component.config.table, {
    missing: [{ variant: '2', reason: '0 failed' }],
  });
});

test('a stage that holds a lock is first in line, and holds up the others', (t) => {
  const tasks = tasksOf([[], [], [], []]);
  for (const id of [0, 1, 2, 3]) bring(tasks, id, 'ready');
  bring(tasks, 3, 'running');
  tasks.all[3]!.claim = { threads: 1, memory: 1 };
  bring(tasks, 3, 'waiting');
  t.false('claim' in tasks.all[3]!, 'while it waits for a lock it holds no place');
  bring(tasks, 3, 'queued');
  t.deepEqual(steps(tasks, { ...plenty, jobs: 2 }), ['start 3', 'start 0']);
  t.deepEqual(steps(tasks, { ...plenty, jobs: 2 }, true), ['start 3'], 'it ends in its place');
  bring(tasks, 0, 'running');
  tasks.all[0]!.claim = { threads: 1, memory: 50 };
  t.deepEqual(steps(tasks), [], 'the others would fit beside it, but would have it wait for longer');
});

test('a rung begins when the selection has settled, for the points that it lets pass', (t) => {
  const evaluations = [0, 1].map((point) => stage(`evaluation/${point}`, []));
  const inputs = evaluations.map((node, point) => [`${point}/0`, { type: 'stage', stage: node }] as const);
  const selection: StageNode = {
    ...stage('selection', []),
    component: { ...component, role: 'selection' },
    inputs: Object.fromEntries(inputs),
    rung: { number: 1, of: 2, points: 2, survivors: 1 },
  };
  const [previous, ...next] = ['previous', 'first', 'second'].map((id) => stage(id, []));
  const after = next.map((node, point) => ({ ...node, after: { previous: previous!, selection, point } }));
  const nodes = [previous!, ...evaluations, selection, ...after];
  const tasks = new Tasks({ stages: nodes.map((node) => ({ node }) as PlannedStage) });

  // The points are measured; which goes on isn't known yet.
  t.deepEqual(steps(tasks), ['look previous', 'look evaluation/0', 'look evaluation/1']);
  finish(tasks, 'previous');
  finish(tasks, 'evaluation/0');
  t.deepEqual(steps(tasks), ['look evaluation/1']);
  finish(tasks, 'evaluation/1');
  t.deepEqual(steps(tasks), ['look selection']);

  // The second point is the best.
  tasks.of(selection).ranking = {
    metric: 'psnr',
    better: 'higher',
    survivors: 1,
    places: [
      { point: 1, rank: 1, survives: true, score: 2 },
      { point: 0, rank: 2, survives: false, score: 1 },
    ],
  };
  finish(tasks, 'selection');
  t.deepEqual(steps(tasks), ['lose first', 'look second']);
});

test('a run that is asked to stop begins nothing more', (t) => {
  const tasks = tasksOf([[], [0], []]);
  bring(tasks, 2, 'ready');
  t.deepEqual(steps(tasks, plenty, true), []);
});

const scenario = fc.record({
  needs: fc.array(fc.array(fc.nat(), { maxLength: 2 }), { minLength: 1, maxLength: 14 }),
  stored: fc.array(fc.nat(14)),
  resources: fc.array(
    fc.record(
      { cores: fc.integer({ min: 1, max: 8 }), memory: fc.integer({ min: 1, max: 60 }) },
      { requiredKeys: [] },
    ),
    { minLength: 15, maxLength: 15 },
  ),
  capacity: fc.record({
    jobs: fc.integer({ min: 1, max: 4 }),
    cores: fc.integer({ min: 1, max: 8 }),
    memory: fc.integer({ min: 50, max: 100 }),
  }),
  /** After so many ends the run is asked to stop. */
  stopAfter: fc.option(fc.nat(20), { nil: Number.POSITIVE_INFINITY }),
  /** How each step of a stage ends: what is looked up is there or not, what runs is made, fails, or waits for a lock. */
  ends: fc.infiniteStream(fc.constantFrom('well', 'well', 'well', 'badly', 'wait', 'wait')),
  picks: fc.infiniteStream(fc.nat()),
});

/** One step of a stage that is on its way. */
function goOn(tasks: Tasks, task: Task, how: 'well' | 'badly' | 'wait', waited: Set<Task>): void {
  const waits = how === 'wait' && task.phase === 'running' && !waited.has(task);
  if (waits) waited.add(task);
  const to: { readonly [phase: string]: Task['phase'] | Task['state'] } = {
    looking: how === 'badly' ? 'hit' : 'ready',
    waiting: how === 'badly' ? 'shared' : 'queued',
    running: waits ? 'waiting' : how === 'badly' ? 'failed' : 'ran',
  };
  const then = to[task.phase]!;
  if (then === 'ready' || then === 'queued' || then === 'waiting') {
    tasks.move(task, then);
    return;
  }
  tasks.settle(task, then as 'ran', then === 'failed' ? { at: task.node } : result);
}

function perform(tasks: Tasks, action: Action): void {
  const { task } = action;
  if (action.type === 'start') {
    tasks.move(task, 'running');
    task.claim = action.claim;
  } else if (action.type === 'look') {
    task.node = action.node;
    tasks.move(task, 'looking');
  } else if (action.type === 'reuse') tasks.settle(task, 'hit', action.entry);
  else tasks.settle(task, 'skipped', action.loss);
}

test('whatever stages need and however they end, limits hold, inputs come first, and all settle', (t) => {
  fc.assert(
    fc.property(scenario, (given) => {
      const { capacity } = given;
      const tasks = tasksOf(
        given.needs.map((needs, index) => (index === 0 ? [] : needs.map((one) => one % index))),
        given.stored,
      );
      const indices = new Map(tasks.all.map((task, index) => [task, index]));
      const resourcesOf = (task: Task): Resources => given.resources[indices.get(task)!]!;
      const waited = new Set<Task>();
      for (let ended = 0; ; ended++) {
        const stopping = ended >= given.stopAfter;
        for (;;) {
          const actions = next(tasks, { capacity, stopping, resourcesOf });
          if (actions.length === 0) break;
          const queued = tasks.in('queued');
          for (const action of actions) checkAction(action, stopping);
          for (const action of actions) perform(tasks, action);
          if (actions.some(({ type, task }) => type === 'start' && !queued.includes(task)))
            t.deepEqual(tasks.in('queued'), [], 'nothing overtakes a stage that holds a lock');
          checkCapacity();
        }
        const open = [...tasks.in('looking'), ...tasks.in('running'), ...tasks.in('waiting')];
        if (open.length === 0) break;
        goOn(tasks, open[given.picks.next().value % open.length]!, given.ends.next().value, waited);
      }
      t.deepEqual(tasks.in('queued'), [], 'a stage that holds a lock is never left with it');
      if (given.stopAfter === Number.POSITIVE_INFINITY) checkEnd();

      function checkAction({ type, task }: Action, stopping: boolean): void {
        const upstream = tasks.upstreamOf(task);
        t.true(upstream.every(({ phase }) => phase === 'settled'));
        const made = upstream.filter(({ entry }) => entry !== undefined);
        if (type === 'lose') t.true(made.length < upstream.length);
        else if (task.node.id === 'report') t.is(Object.keys(task.node.inputs).length > 0, made.length > 0);
        else t.is(made.length, upstream.length);
        if (stopping) t.true(type === 'start' && task.phase === 'queued');
      }

      function checkCapacity(): void {
        const running = tasks.in('running');
        const memory = running.reduce((sum, task) => sum + (resourcesOf(task).memory ?? 0), 0);
        t.true(running.length <= capacity.jobs);
        t.true(running.length <= 1 || memory <= capacity.memory, `${memory} MiB`);
        for (const task of running) {
          const { threads } = task.claim!;
          t.true(threads >= 1 && threads <= Math.min(capacity.cores, resourcesOf(task).cores ?? 8));
        }
      }

      function checkEnd(): void {
        for (const task of tasks.all) {
          t.is(task.phase, 'settled');
          if (task.state !== 'skipped') continue;
          t.is(tasks.of(task.loss!.at).state, 'failed');
        }
      }
    }),
    { numRuns: 300 },
  );
});
