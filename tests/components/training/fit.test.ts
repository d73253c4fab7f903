import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { openEngine } from '../../../components/engine/open.ts';
import { hostTensor } from '../../../components/nn/tree.ts';
import { type Batches, fit as fitLine, type MicroBatch } from '../../../components/training/fit.ts';
import type { Objective } from '../../../components/training/objective.ts';
import type { Recipe } from '../../../components/training/recipe.ts';
import type { Phase, Progress } from '../../../framework/stage/contract.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { StageError } from '../../../framework/stage/stage-error.ts';

type Line = { readonly weight: tf.Tensor };
type Points = { readonly slope: tf.Tensor };

/** A loss whose gradient is the slope that the batch gives: Adam moves the weight by the learning rate. */
const line: Objective<Line, Points> = {
  name: 'line',
  init: () => ({ weight: hostTensor([2], Float32Array.of(1, -1)) }),
  loss: ({ weight }, { batch }) => ({ loss: tf.sum(tf.mul(weight, batch.slope)) as tf.Scalar }),
};

const recipe: Recipe = {
  steps: 3,
  batchSize: 4,
  learningRate: 0.25,
  minLearningRate: 0.25,
  betas: [0.9, 0.999],
  weightDecay: 0,
  clipNorm: 0,
};

test.serial('progress says what share of its time a training has waited for its batches', async (t) => {
  // A clock that only the two of them move: a batch takes 3, the gradient of a step 1.
  let clock = 0;
  const { now } = performance;
  t.teardown(() => Object.assign(performance, { now }));
  performance.now = () => clock;
  const engine = await openEngine({ name: 'reference' });
  const slow: Objective<Line, Points> = {
    ...line,
    loss(parameters, given) {
      clock += 1;
      return line.loss(parameters, given);
    },
  };
  const shares: (number | undefined)[] = [];
  const phases: (Phase | undefined)[] = [];
  const context = {
    signal: new AbortController().signal,
    progress({ waiting, phase }: Progress) {
      shares.push(waiting);
      phases.push(phase);
    },
    log: () => {},
  };
  await fitLine(context, engine, slow, {
    recipe,
    images: 100,
    batches: () => ({
      async batch() {
        await new Promise((resolve) => setImmediate(resolve));
        clock += 3;
        return { slope: hostTensor([2]) };
      },
    }),
  });
  // The first batch was there before the first step: it was asked for to compile the program.
  t.deepEqual(shares.slice(2), [0, 3 / 5, 6 / 9]);
  t.deepEqual(phases, ['compiling', 'training', 'training', 'training', 'training']);
});

async function train(
  changes: Partial<Recipe>,
  batch: (which: MicroBatch) => number = () => 1,
  signal = new AbortController().signal,
  objective = line,
) {
  const asked: MicroBatch[] = [];
  let closed = 0;
  const engine = await openEngine({ name: 'reference' });
  const batches = (): Batches<Points> => ({
    batch(which) {
      asked.push(which);
      return { slope: hostTensor([2], Float32Array.of(batch(which), batch(which))) };
    },
    close: async () => void closed++,
  });
  const rates: unknown[] = [];
  const context = {
    ...{ signal, progress: () => {} },
    log: ({ learningRate }: { readonly learningRate?: unknown }) => void rates.push(learningRate),
  };
  const fitted = await fitLine(context, engine, objective, {
    recipe: { ...recipe, ...changes },
    ...{ images: 100, batches, logEvery: 1 },
  }).catch((error: Error) => error);
  return { fitted, asked, closed, rates };
}

const weightsOf = (result: Awaited<ReturnType<typeof train>>): number[] => {
  if (result.fitted instanceof Error) throw result.fitted;
  return [...result.fitted.parameters.weight.data];
};

const near = (actual: readonly number[], expected: readonly number[]) =>
  actual.every((value, i) => Math.abs(value - expected[i]!) < 1e-5);

test('a constant gradient moves a weight by the learning rate a step, by hand', async (t) => {
  t.true(near(weightsOf(await train({})), [1 - 0.75, -1 - 0.75]));
});

test('the rate follows the schedule of the recipe, by hand', async (t) => {
  const schedule = { kind: 'poly', power: 1, warmupFrom: 0 } as const;
  const result = await train({ minLearningRate: 0, schedule });
  const weights = weightsOf(result);
  t.true(near(weights, [1 - 0.25 * (1 + 2 / 3 + 1 / 3), -1 - 0.5]), String(weights));
  t.true(near(result.rates as number[], [0.25, 0.25 * (2 / 3), 0.25 / 3]), 'and the history has it');
});

test('the result is the moving average of the weights where the recipe says so, by hand', async (t) => {
  // Weights 1, 0.75, 0.5, 0.25: the average is 1, then halfway to each.
  const average = (((1 + 0.75) / 2 + 0.5) / 2 + 0.25) / 2;
  const weights = weightsOf(await train({ average: 0.5 }));
  t.true(near(weights, [average, average - 2]), String(weights));
});

test('micro-batches are asked for in order, each once, and their gradients are averaged', async (t) => {
  const { asked, ...result } = await train({ microBatch: 2 }, ({ part }) => (part === 0 ? 3 : -1));
  t.true(near(weightsOf({ asked, ...result }), [0.25, -1.75]));
  t.deepEqual(
    asked.map(({ step, part, index, first }) => [step, part, index, first]),
    [
      [0, 0, 0, 0],
      [0, 1, 1, 2],
      [1, 0, 2, 0],
      [1, 1, 3, 2],
      [2, 0, 4, 0],
      [2, 1, 5, 2],
    ],
  );
});

test('batches are closed, also where the training fails or is stopped', async (t) => {
  t.is((await train({})).closed, 1);
  const failed = await train({}, () => Number.NaN);
  t.regex(String(failed.fitted), /the loss is NaN at step 1 of 3/);
  t.is(failed.closed, 1);
  const stopped = await train({}, undefined, AbortSignal.abort(new Error('told to stop')));
  t.regex(String(stopped.fitted), /told to stop/);
  t.is(stopped.closed, 1);
});

test('a step that is stopped between two micro-batches is not counted, and leaves nothing of itself', async (t) => {
  const stop = new AbortController();
  const saved: number[] = [];
  const engine = await openEngine({ name: 'reference' });
  const checkpoints = {
    latest: async () => undefined,
    isDue: () => false,
    handOver: async () => {},
    save: async (step: number) => void saved.push(step),
  };
  const shown: number[] = [];
  const context = {
    ...{ signal: stop.signal, checkpoints, log: () => {} },
    progress: ({ step }: { step: number }) => void shown.push(step),
  };
  const batches = (): Batches<Points> => ({
    batch({ step, part }) {
      if (step === 1 && part === 1) stop.abort(new Error('told to stop'));
      return { slope: hostTensor([2], Float32Array.of(1, 1)) };
    },
  });
  const options = { recipe: { ...recipe, batchSize: 6, microBatch: 2 }, images: 100, batches };
  await t.throwsAsync(fitLine(context, engine, line, options), { message: 'told to stop' });
  // As it compiles, as it begins, and after a step.
  t.deepEqual(shown, [0, 0, 1]);
  t.deepEqual(saved, [1]);
});

test('a name in `noDecay` that no parameter has is refused: the parameter that was meant would decay', async (t) => {
  const { fitted } = await train({ noDecay: ['weigth'] });
  t.true(fitted instanceof StageError);
  t.is(
    formatError(fitted as Error),
    'noDecay: no parameter of line is named "weigth"\n  did you mean "weight"? one of: weight',
  );
  t.deepEqual(weightsOf(await train({ noDecay: ['weight'] })), weightsOf(await train({})));
});

const notScalars: { readonly [message: string]: (weight: tf.Tensor) => object } = {
  'the loss is float32 [2], not a scalar': (weight) => ({ loss: tf.square(weight) }),
  'the loss is a promise, not a scalar': (weight) => ({ loss: Promise.resolve(tf.sum(weight)) }),
  'the loss is undefined, not a scalar': () => ({}),
  'accuracy of `shown` is float32 [2], not a scalar': (weight) => ({
    loss: tf.sum(weight),
    shown: { accuracy: weight },
  }),
};
for (const [message, loss] of Object.entries(notScalars))
  test(`a loss that would be summed up unseen is refused: ${message}`, async (t) => {
    const objective = { ...line, loss: ({ weight }: Line) => loss(weight) as { loss: tf.Scalar } };
    const { fitted } = await train({}, undefined, undefined, objective);
    t.is((fitted as Error).message, `program 'line' failed: ${message}`);
    t.is(((fitted as Error).cause as StageError).hint, 'take its mean: `tf.mean(...)` gives one number');
  });
