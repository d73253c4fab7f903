import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { holdOut, holdOutOfClasses } from '../../../components/data/hold-out.ts';
import { labelsOf } from '../../../components/data/subset.ts';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostOf, HostTensor } from '../../../components/engine/types.ts';
import { hostScalar } from '../../../components/nn/tree.ts';
import { checkCheckpoint, expectValidation } from '../../../components/training/checkpoint-config.ts';
import { trainingCosts, validatedCosts } from '../../../components/training/costs.ts';
import { fit as fitLine } from '../../../components/training/fit.ts';
import type { Objective } from '../../../components/training/objective.ts';
import type { Recipe } from '../../../components/training/recipe.ts';
import { imagesOf } from '../../support/images.ts';
import { createProject } from '../../support/project.ts';

type Line = { readonly weight: tf.Tensor };
type Points = { readonly slope: tf.Tensor };
type Counted = { readonly steps: tf.Tensor };

/** Adam moves the weight from 0 by 1 a step; `rest` counts the steps. */
const line: Objective<Line, Points, undefined, never, Counted, { readonly one: tf.Tensor }> = {
  name: 'line',
  init: () => ({ weight: hostScalar(0) }),
  loss: ({ weight }, { batch }) => ({
    loss: tf.mul(weight, batch.slope) as tf.Scalar,
    statistics: { one: tf.scalar(1) },
  }),
  rest: {
    init: () => ({ steps: hostScalar(0) }),
    none: () => ({ one: hostScalar(0) }),
    update: ({ steps }, { one }) => ({ steps: tf.add(steps, one) }),
  },
};

const recipe: Recipe = {
  ...{ steps: 7, batchSize: 1, learningRate: 1, minLearningRate: 1 },
  ...{ betas: [0.9, 0.999], weightDecay: 0, clipNorm: 0 },
};

type Score = (weight: number, steps: number) => number | Promise<number>;

interface Attempt {
  readonly changes?: Partial<Recipe>;
  readonly every?: number;
  readonly dir?: string;
  readonly stop?: AbortController;
}

const numberIn = ({ data }: HostTensor): number => Math.round(Number(data[0]) * 1e4) / 1e4;

/** The checkpoint of a stop, in memory; a state that was saved is a tree. */
async function train(score: Score, { changes, every = 2, dir, stop }: Attempt = {}) {
  const looks: number[] = [];
  const logged: unknown[] = [];
  let saved: { step: number; dir: string; begun: number } | undefined;
  const checkpoints = {
    latest: async () => (dir && saved ? saved : undefined),
    isDue: () => false,
    handOver: async () => {},
    async save(step: number, write: (to: string) => void | Promise<void>) {
      saved = { step, dir: dir!, begun: 0 };
      await write(dir!);
    },
  };
  const attempt = async (signal: AbortSignal) => {
    const engine = await openEngine({ name: 'reference' });
    return fitLine<Line, Points, undefined, never, Counted, { readonly one: tf.Tensor }>(
      {
        ...{ signal, progress: () => {}, log: (record: object) => void logged.push(record) },
        ...(dir ? { checkpoints: checkpoints as never } : {}),
      },
      engine,
      line,
      {
        ...{ recipe: { ...recipe, ...changes }, images: 10, logEvery: 100 },
        batches: () => ({ batch: () => ({ slope: hostScalar(-1) }) }),
        select: {
          every,
          async score(parameters: HostOf<Line>, rest: HostOf<Counted>) {
            looks.push(numberIn(rest.steps));
            return score(numberIn(parameters.weight), numberIn(rest.steps));
          },
        },
      },
    );
  };
  const first = await attempt(stop?.signal ?? new AbortController().signal).catch((error: Error) => error);
  const again = stop ? await attempt(new AbortController().signal) : first;
  if (again instanceof Error) throw again;
  return { ...again, weight: numberIn(again.parameters.weight), looks, logged, first };
}

test('the weights with the best score are handed over, with what no gradient moves; of equals the earlier', async (t) => {
  const peak = await train((weight) => -Math.abs(weight - 4.2));
  t.deepEqual(peak.looks, [2, 4, 6, 7]);
  t.deepEqual([peak.weight, numberIn(peak.rest.steps), peak.chosen!.step], [4, 4, 4]);
  t.is(peak.chosen!.score, Math.fround(-0.2));
  const level = await train(() => 1);
  t.is(level.chosen!.step, 2);
  // The end is looked at, too.
  t.is((await train((weight) => weight)).chosen!.step, 7);
  t.deepEqual(
    level.logged.filter((record) => 'validation' in (record as object)),
    [2, 4, 6, 7].map((step) => ({ step, validation: 1 })),
  );
});

test('the moving average is what is looked at, where there is one', async (t) => {
  const seen: number[] = [];
  const { weight } = await train((value) => seen.push(value), {
    changes: { steps: 2, average: 0.5 },
    every: 1,
  });
  // 0, 1, 2: halfway from 0 to 1, from there halfway to 2.
  t.deepEqual(seen, [0.5, 1.25]);
  t.is(weight, 1.25);
});

test('`every` is in the unit of the length', async (t) => {
  // Ten images, one a step: an epoch is ten steps.
  const { looks } = await train((weight) => weight, {
    changes: { epochs: 1.2, steps: undefined },
    every: 0.5,
  });
  t.deepEqual(looks, [5, 10, 12]);
});

test('a training that is stopped during a look looks again, one that is stopped after it does not', async (t) => {
  const whole = await train((weight) => -Math.abs(weight - 4.2));
  for (const stopsIn of ['a look', 'a step'] as const) {
    const { dir } = createProject(t, {});
    const stop = new AbortController();
    const result = await train(
      (weight, steps) => {
        if (steps === 4 && !stop.signal.aborted) {
          stop.abort(new Error('told to stop'));
          if (stopsIn === 'a look') throw stop.signal.reason;
        }
        return -Math.abs(weight - 4.2);
      },
      { dir, stop },
    );
    t.regex(String(result.first), /told to stop/);
    t.deepEqual(result.chosen, whole.chosen);
    t.is(result.weight, whole.weight);
    t.deepEqual(result.looks, stopsIn === 'a look' ? [2, 4, 4, 6, 7] : [2, 4, 6, 7]);
  }
});

test('a score that is no number fails the training', async (t) => {
  await t.throwsAsync(
    train(() => Number.NaN),
    { message: 'the validation of the weights after step 2 gives NaN' },
  );
});

test('images are held out by the seed, of classes the same number each', async (t) => {
  // Three of four images are of class 0.
  const data = imagesOf(new Uint8Array(40), {
    size: 1,
    channels: 1,
    label: (index) => (index % 4 === 0 ? 1 : 0),
  });
  const { learnt, held } = await holdOutOfClasses(data, 10, 3);
  t.deepEqual([learnt.count, held.count], [30, 10]);
  t.is((await labelsOf(held)).filter((label) => label === 1).length, 5);
  t.is((await labelsOf(learnt)).filter((label) => label === 1).length, 5);
  const numbered = imagesOf(
    Uint8Array.from({ length: 40 }, (_, i) => i),
    { size: 1, channels: 1 },
  );
  const pixels = async (part: typeof data) =>
    Promise.all(
      Array.from({ length: part.count }, async (_, i) =>
        Number(((await part.image(i)) as { bytes: Uint8Array }).bytes[0]),
      ),
    );
  const parts = holdOut(numbered, 7, 0);
  const [some, others] = [await pixels(parts.held), await pixels(parts.learnt)];
  t.is(some.length, 7);
  t.deepEqual(
    [...some, ...others].sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, i) => i),
  );
  t.notDeepEqual(await pixels(holdOut(numbered, 7, 1).held), some);
});

test('looks that never come, and parts that are too small, are refused', (t) => {
  const by = (every: number, share = 0.1) => ({ ...recipe, checkpoint: { validation: { share, every } } });
  t.deepEqual(checkCheckpoint(by(7)), []);
  t.is(checkCheckpoint(by(8))[0]!.message, 'must be at most `steps`, 7');
  t.is(checkCheckpoint(by(1.5))[0]!.message, 'must be a whole number of steps');
  const train = { name: 'data.train', facts: { images: 20, classes: 4 } };
  const message = (share: number, batchSize = 8) =>
    expectValidation({ ...by(1, share), batchSize }, train, { classes: true })[0]?.message;
  t.deepEqual(expectValidation({ ...by(1, 0.2), batchSize: 8 }, train, { classes: true }), []);
  t.is(message(0.1), 'holds out 2 of 20 images: at least one of each of 4 classes is needed');
  t.is(message(0.9), 'leaves 2 of 20 images to learn from: at least one of each of 4 classes is needed');
  t.is(message(0.7), 'leaves 6 of 20 images, fewer than `batchSize`, 8');
  t.is(expectValidation(by(1), train, {}).length, 0);
});

test('looks are in what a training costs', (t) => {
  const each = { parameters: 10, flops: { dense: 30 }, kept: 5, forward: { dense: 10 } };
  const checkpoint = { validation: { share: 0.25, every: 2 } };
  const plain = trainingCosts(recipe, 30, each);
  t.deepEqual(validatedCosts({ ...recipe, checkpoint: 'last' }, 30, each), plain);
  // Of 40 images 10 are looked at four times: 40 forward passes beside 7 images that are learnt from.
  const costs = validatedCosts({ ...recipe, checkpoint }, 40, each);
  t.is(costs.images, 7);
  t.is(Math.round(7 * costs.flops!.dense!), 7 * 30 + 40 * 10);
  t.is(costs.memory, plain.memory! + 80);
});
