import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { HostTensor, Program, State } from '../../../components/engine/types.ts';
import { hostTensor } from '../../../components/nn/tree.ts';
import { type TrainingContext, train, usualInterval } from '../../../components/training/loop.ts';
import type { StageFunction, StageInput } from '../../../framework/stage/contract.ts';
import { createProject } from '../../support/project.ts';
import { type AttemptOutcome, attemptStage } from '../../support/stage-runner.ts';

interface Tiny {
  readonly weights: HostTensor;
  readonly moments: { readonly '0': HostTensor };
  readonly count: HostTensor;
}

const steps = 10;

/** A stage without an engine: a state of three types that each step scrambles with its batch. */
const tiny: StageFunction<never> = async (context) => {
  let values: Tiny = {
    weights: hostTensor([3], Float32Array.of(1, -2, Math.fround(1e-40))),
    moments: { '0': hostTensor([2, 1]) },
    count: hostTensor([], Int32Array.of(0)),
  };
  const state = {
    read: () => structuredClone(values),
    write: (next: Tiny) => {
      values = structuredClone(next);
    },
    dispose: () => {},
  } as unknown as State<Tiny>;
  const program = {
    run: async ({ x }: { x: HostTensor }) => {
      const [weights, moments] = [values.weights.data, values.moments['0'].data] as Float32Array[];
      moments.forEach((m, i) => {
        moments[i] = 0.9 * m + 0.1 * (x.data[0] + weights[i]);
      });
      weights.forEach((w, i) => {
        weights[i] = Math.fround(w * 0.99 + moments[i % 2] * 0.1);
      });
      (values.count.data as Int32Array)[0]++;
      return {
        loss: hostTensor([], Float32Array.of(weights[0])),
        wide: values.weights,
        odd: hostTensor([1], Float32Array.of(-0)),
      };
    },
    dispose: () => {},
  } as unknown as Program<unknown, unknown>;
  const last = await train(context as unknown as TrainingContext, {
    state: state as State<unknown>,
    steps,
    batchSize: 8,
    run: (step) => program.run({ x: hostTensor([], Float32Array.of(Math.sin(step))) } as never),
    logEvery: 3,
    scheduled: (step) => ({ learningRate: 1 / (step + 1) }),
  });
  const { weights, moments, count } = state.read() as unknown as Tiny;
  const bytes = [weights, moments['0'], count].map(({ data }) => Buffer.from(data.buffer).toString('hex'));
  fs.writeFileSync(path.join((context as { outDir: string }).outDir, 'state.txt'), bytes.join('\n'));
  return { metrics: last };
};

function createBench(t: ExecutionContext) {
  const { dir } = createProject(t, {});
  const attempt = (options: {
    name: string;
    stopAt?: number;
    interval?: number;
    until?: number;
    previous?: string;
  }) => {
    const { previous, ...rest } = options;
    const inputs: { [input: string]: StageInput } = {};
    if (previous !== undefined) inputs.previous = { dir: path.join(dir, `out-${previous}`) } as StageInput;
    return attemptStage(tiny, { dir, config: {}, inputs, ...rest });
  };
  return { dir, attempt };
}

const linesOf = ({ files }: AttemptOutcome): { readonly [name: string]: number }[] => {
  const text = Buffer.from(files['metrics.jsonl'], 'hex').toString().trim();
  return text.split('\n').map((line) => JSON.parse(line));
};

/** Each line has the means of what was shown of the steps since the one before, and the rate of its last step. */
function assertMeans(
  t: ExecutionContext,
  { shown }: AttemptOutcome,
  history: readonly { readonly [name: string]: number }[],
): void {
  for (const [index, { step, loss, learningRate }] of history.entries()) {
    const before = history[index - 1]?.step ?? 0;
    const own = shown.filter((each) => each.step > before && each.step <= step);
    const losses = own.map(({ values }) => values!.loss);
    const mean = losses.reduce((sum, value) => sum + value, 0) / losses.length;
    t.true(Math.abs(loss - mean) <= 1e-6 * Math.abs(mean), `step ${step}: ${loss} instead of ${mean}`);
    t.is(learningRate, 1 / step);
  }
}

test('a training that is stopped after any step ends in the same bytes, history and numbers', async (t) => {
  const { attempt } = createBench(t);
  const whole = await attempt({ name: 'whole' });
  t.deepEqual(Object.keys(whole.files), ['metrics.jsonl', 'state.txt']);
  const history = linesOf(whole);
  t.deepEqual(
    history.map(({ step }) => step),
    [3, 6, 9, 10],
  );
  assertMeans(t, whole, history);
  for (let stopAt = 1; stopAt <= steps; stopAt++) {
    const name = `stopped-${stopAt}`;
    const stopped = await attempt({ name, stopAt });
    t.is(stopped.end, 'stopped');
    t.is(stopped.shown.length, 1 + stopAt, 'its start, and not a step more');
    const resumed = await attempt({ name });
    t.deepEqual(resumed.files, whole.files, name);
    t.deepEqual(resumed.metrics, whole.metrics, name);
    t.is(resumed.past.resumedFrom, stopAt);
    // From where it goes on, so that the rate is measured from there.
    t.deepEqual(
      resumed.shown.map(({ step, of, images }) => [step, of, images]),
      Array.from({ length: steps - stopAt + 1 }, (_, i) => [stopAt + i, steps, (stopAt + i) * 8]),
    );
  }
});

test('a training that is stopped at each step in turn ends in the same bytes', async (t) => {
  const { attempt } = createBench(t);
  const whole = await attempt({ name: 'whole' });
  for (let stopAt = 1; stopAt < steps; stopAt++) {
    t.is((await attempt({ name: 'often', stopAt, interval: 0 })).end, 'stopped');
  }
  t.deepEqual((await attempt({ name: 'often' })).files, whole.files);
});

test('a training that ended before its stage did returns the last numbers again', async (t) => {
  const { attempt } = createBench(t);
  const whole = await attempt({ name: 'whole', interval: 0 });
  // Its scratch is still there, as after a kill behind the last step.
  const again = await attempt({ name: 'whole' });
  t.is(again.past.resumedFrom, steps);
  t.deepEqual(
    again.shown.map(({ step }) => step),
    [steps],
  );
  t.deepEqual(again.files, whole.files);
  t.deepEqual(again.metrics, whole.metrics);
});

test('stopped before the first step, it saves nothing', async (t) => {
  const { dir } = createBench(t);
  const stop = AbortSignal.abort(new Error('asked to stop'));
  const saved: number[] = [];
  const checkpoints = {
    latest: async () => undefined,
    isDue: () => true,
    save: async (step: number) => void saved.push(step),
    handOver: async () => {},
  };
  const context = { signal: stop, checkpoints, progress: () => {}, log: () => {}, outDir: dir };
  await t.throwsAsync(tiny(context as never), { message: 'asked to stop' });
  t.deepEqual(saved, []);
});

test('rungs end in the bytes and the history of a training that went through', async (t) => {
  const { attempt } = createBench(t);
  const whole = await attempt({ name: 'whole' });
  const first = await attempt({ name: 'first', until: 4 });
  t.deepEqual(Object.keys(first.files), [
    'metrics.jsonl',
    'state.txt',
    'state/data/training.safetensors',
    'state/manifest.json',
    'state/metrics.jsonl',
  ]);
  t.deepEqual(
    first.shown.map(({ step, of }) => [step, of]),
    [
      [0, 4],
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
    ],
  );
  t.deepEqual(
    linesOf(first).map(({ step }) => step),
    [3, 4],
    'with its own last step',
  );
  const second = await attempt({ name: 'second', previous: 'first', until: 6 });
  // Images of this rung only.
  t.deepEqual(
    second.shown.map(({ step, of, images }) => [step, of, images]),
    [
      [4, 6, 0],
      [5, 6, 8],
      [6, 6, 16],
    ],
  );
  const direct = await attempt({ name: 'direct', until: 6 });
  t.deepEqual(second.files, direct.files, 'a rung does not tell how many came before');
  const last = await attempt({ name: 'last', previous: 'second', until: steps });
  t.deepEqual(last.files, whole.files);
  t.deepEqual(last.metrics, whole.metrics);

  t.is((await attempt({ name: 'broken off', previous: 'first', stopAt: 8 })).end, 'stopped');
  const resumed = await attempt({ name: 'broken off', previous: 'first' });
  t.deepEqual(resumed.files, whole.files);
  t.is(resumed.past.resumedFrom, 8);
  t.deepEqual(
    resumed.shown.map(({ images }) => images),
    [32, 40, 48],
  );
});

test('a rung from a state behind its end is an error', async (t) => {
  const { attempt } = createBench(t);
  await attempt({ name: 'first', until: 6 });
  await t.throwsAsync(attempt({ name: 'second', previous: 'first', until: 5 }), {
    message: 'the checkpoint is at step 6, but this training ends at step 5',
  });
});

test('a history has 40 lines at least, and 2,000 at most', (t) => {
  const lines = (steps: number) => Math.ceil(steps / usualInterval(steps));
  t.deepEqual([1, 125, 400, 1000, 50_000, 500_000].map(usualInterval), [1, 3, 10, 25, 25, 250]);
  for (let steps = 40; steps < 1e6; steps = Math.ceil(steps * 1.3))
    t.true(lines(steps) >= 40 && lines(steps) <= 2000, String(steps));
});
