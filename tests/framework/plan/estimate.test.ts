import test from 'ava';
import { estimatePlan } from '../../../framework/plan/estimate.ts';
import { createMeasured, type Recorded } from '../../../framework/plan/past-stages.ts';
import type { Plan } from '../../../framework/plan/plan.ts';
import type { StageNode, StageStatus } from '../../../framework/plan/types.ts';
import type { JsonObject } from '../../../framework/stage/json.ts';

interface Sketch {
  readonly id: string;
  readonly kind?: string;
  readonly config?: JsonObject;
  readonly status?: StageStatus;
  readonly needs?: readonly string[];
}

/** As much of a plan as an estimate looks at. */
function sketch(stages: readonly Sketch[]): Plan {
  const nodes = new Map<string, StageNode>();
  const planned = stages.map(({ id, kind = 'train', config = {}, status = 'run', needs = [] }) => {
    const inputs = Object.fromEntries(needs.map((name) => [name, { type: 'stage', stage: nodes.get(name) }]));
    const node = { id, component: { config }, inputs } as unknown as StageNode;
    nodes.set(id, node);
    return { node, status, fingerprint: { kind } };
  });
  return { stages: planned } as unknown as Plan;
}

function secondsOf(plan: Plan, recorded: readonly Recorded[], jobs: number) {
  const { stages, seconds, unknown } = estimatePlan(plan, recorded, { jobs });
  return { stages: Object.fromEntries([...stages].map(([node, time]) => [node.id, time])), seconds, unknown };
}

const recorded: readonly Recorded[] = [
  { kind: 'train', config: { steps: 100, batchSize: 32, width: 64 }, seconds: 10 },
  { kind: 'train', config: { steps: 100, batchSize: 32, width: 128 }, seconds: 40 },
  { kind: 'eval', config: {}, seconds: 3 },
];

test('a stage takes as long as the most similar recorded one, in proportion to steps and batch size', (t) => {
  const plan = sketch([
    { id: 'same', config: { steps: 100, batchSize: 32, width: 64 } },
    { id: 'longer', config: { steps: 300, batchSize: 32, width: 64 } },
    { id: 'wider', config: { steps: 50, batchSize: 64, width: 128 } },
    { id: 'stored', status: 'hit' },
    { id: 'new', kind: 'detect' },
  ]);
  const { stages, unknown } = secondsOf(plan, recorded, 1);
  t.deepEqual(stages, { same: 10, longer: 30, wider: 40, new: undefined });
  t.is(unknown, 1);
});

test('a training of epochs is in proportion to them, whatever its batch size', (t) => {
  const epochs = [{ kind: 'train', config: { epochs: 10, batchSize: 32 }, seconds: 10 }];
  const plan = sketch([{ id: 'longer', config: { epochs: 30, batchSize: 64 } }]);
  t.is(secondsOf(plan, epochs, 1).seconds, 30);
});

test('trainings of steps say nothing of how long one of epochs takes, nor the other way around', (t) => {
  const steps = { kind: 'train', config: { steps: 6, batchSize: 32, width: 64 }, seconds: 5 };
  const epochs = { kind: 'train', config: { epochs: 2, batchSize: 32, width: 32 }, seconds: 7 };
  const plan = sketch([{ id: 'epochs', config: { epochs: 300, batchSize: 32, width: 64 } }]);
  t.is(secondsOf(plan, [steps], 1).unknown, 1);
  t.is(secondsOf(plan, [steps, epochs], 1).seconds, 150 * 7);
  const other = sketch([{ id: 'steps', config: { steps: 12, batchSize: 32, width: 64 } }]);
  t.is(secondsOf(other, [epochs], 1).unknown, 1);
  t.is(secondsOf(other, [epochs, steps], 1).seconds, 10);
});

test('a stage of another seed takes as long as that of the same config, not of one that differs elsewhere', (t) => {
  const config = { steps: 100, batchSize: 32, width: 128, seed: 3 };
  const plan = sketch([{ id: 'seed 3', config }]);
  const other = { ...config, seed: 3, width: 64 };
  const ofSeed0 = { ...config, seed: 0 };
  const known = [
    { kind: 'train', config: other, seconds: 10 },
    { kind: 'train', config: ofSeed0, seconds: 40 },
  ];
  t.is(secondsOf(plan, known, 1).seconds, 40);
});

test('the time of the whole is that of the schedule: one after the other with one job, the longest way with many', (t) => {
  const config = { steps: 100, batchSize: 32, width: 64 };
  const plan = sketch([
    { id: 'a', config },
    { id: 'b', config },
    { id: 'after a', config, needs: ['a'] },
    { id: 'eval', kind: 'eval', needs: ['b'] },
    { id: 'end', kind: 'eval', needs: ['after a', 'eval'] },
  ]);
  t.is(secondsOf(plan, recorded, 1).seconds, 36);
  // a and b together (10), then after a and eval (10), then the end (3)
  t.is(secondsOf(plan, recorded, 2).seconds, 23);
  t.is(secondsOf(plan, recorded, 100).seconds, 23);
});

test('with everything stored, or nothing recorded, there is nothing to say', (t) => {
  t.is(secondsOf(sketch([{ id: 'a', status: 'hit' }]), recorded, 2).seconds, 0);
  t.like(secondsOf(sketch([{ id: 'a' }, { id: 'b', needs: ['a'] }]), [], 2), { seconds: 0, unknown: 2 });
});

test('a stage takes as much memory as the most similar measured one, more with more images at once, never less', (t) => {
  const measured: readonly Recorded[] = [
    { kind: 'train', config: { batchSize: 32, width: 64 }, seconds: 1, memory: 500 },
    { kind: 'train', config: { batchSize: 32, width: 128 }, seconds: 1, memory: 900 },
    { kind: 'train', config: { batchSize: 8, width: 256 }, seconds: 1 },
  ];
  const measures = createMeasured(measured);
  t.is(measures.memoryLike('train', { batchSize: 32, width: 64 }), 500);
  t.is(measures.memoryLike('train', { batchSize: 64, width: 128 }), 1800);
  t.is(measures.memoryLike('train', { batchSize: 16, width: 64 }), 500);
  t.is(measures.memoryLike('train', { batchSize: 64, microBatch: 48, width: 64 }), 750);
  t.is(measures.memoryLike('evaluate', { batchSize: 32, width: 64 }), undefined);
});

test('what is measured while a run goes on counts for stages that were asked for before', (t) => {
  const config = { batchSize: 32, width: 64 };
  const measures = createMeasured([]);
  t.is(measures.memoryLike('train', config), undefined);
  measures.add({ kind: 'train', config: { batchSize: 32, width: 128 }, seconds: 1, memory: 900 });
  measures.add({ kind: 'other', config, seconds: 1, memory: 1 });
  t.is(measures.memoryLike('train', config), 900);
  measures.add({ kind: 'train', config: { ...config, seed: 7 }, seconds: 1, memory: 400 });
  t.is(measures.memoryLike('train', config), 400);
  // Of two that are equally near, the first.
  measures.add({ kind: 'train', config: { ...config, seed: 8 }, seconds: 1, memory: 300 });
  t.is(measures.memoryLike('train', config), 400);
});
