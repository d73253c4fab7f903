import test from 'ava';
import type { HostTensor, State } from '../../../components/engine/types.ts';
import { hostTensor } from '../../../components/nn/tree.ts';
import { train } from '../../../components/training/loop.ts';
import type { Checkpoints } from '../../../framework/stage/contract.ts';
import { formatError } from '../../../framework/stage/errors.ts';

interface Values {
  readonly weights: HostTensor;
  readonly sums: HostTensor;
}

const steps = 4;

/**
 * A training without an engine. `update` is what a step (from 1) does to the state; `loss` is that of the state before
 * it, so that the loss of a step knows nothing of that step's update.
 */
async function trainWith(
  update: (step: number) => Partial<{ weights: number; sums: number }>,
  loss: (weights: number) => number = (weights) => weights,
  until?: number,
) {
  let values: Values = { weights: hostTensor([1]), sums: hostTensor([2]) };
  let runs = 0;
  const saved: string[] = [];
  const note = (what: string) => async (step: number, write: (dir: string) => unknown) => {
    void write;
    saved.push(`${what} ${step}`);
  };
  const checkpoints: Checkpoints = {
    latest: async () => undefined,
    isDue: () => true,
    save: note('save'),
    handOver: note('hand over'),
  };
  const state = {
    read: () => structuredClone(values),
    write: (next: Values) => {
      values = structuredClone(next);
    },
    dispose: () => {},
  };
  const program = {
    run: async () => {
      runs++;
      const before = values.weights.data[0];
      const { weights = 0, sums = 0 } = update(runs);
      values = {
        weights: hostTensor([1], Float32Array.of(weights)),
        sums: hostTensor([2], Float32Array.of(0, sums)),
      };
      return { loss: hostTensor([], Float32Array.of(loss(before))) };
    },
  };
  const signal = new AbortController().signal;
  const context = { signal, checkpoints, progress: () => {}, log: () => {} };
  const options = {
    state: state as unknown as State<unknown>,
    steps,
    batchSize: 1,
    run: program.run,
  };
  const end = await train(until === undefined ? context : { ...context, until }, options).then(
    (last) => JSON.stringify(last),
    formatError,
  );
  return { end, saved, runs, values };
}

const hint = 'the training diverged: lower the learning rate, or clip gradients more (`clipNorm`)';

test('weights that overflow in the last update fail, and no state of them is kept', async (t) => {
  const { end, saved } = await trainWith((step) => ({
    weights: step === steps ? Number.POSITIVE_INFINITY : step,
  }));
  t.is(end, `after step 4 of 4, "state/weights" holds Infinity\n  ${hint}`);
  t.deepEqual(saved, ['save 1', 'save 2', 'save 3']);
});

test('finite weights whose loss is not finite fail too', async (t) => {
  const { end } = await trainWith(
    (step) => ({ weights: step === steps ? 1e30 : step }),
    (weights) => weights ** 2,
  );
  t.is(end, `the loss is Infinity with the weights after the last update, step 4 of 4\n  ${hint}`);
});

test('a statistic that no loss sees is looked at as well', async (t) => {
  const { end, saved } = await trainWith((step) => ({ sums: step >= 2 ? Number.NaN : 1 }));
  t.is(end, `after step 2 of 4, "state/sums" holds NaN\n  ${hint}`);
  t.deepEqual(saved, ['save 1']);
});

test('a rung hands no diverged state over', async (t) => {
  const { end, saved } = await trainWith(
    (step) => ({ weights: step === 2 ? 1e30 : 1 }),
    (weights) => weights ** 2,
    2,
  );
  t.is(end, `the loss is Infinity with the weights after the last update, step 2 of 4\n  ${hint}`);
  t.deepEqual(saved, ['save 1', 'save 2']);
});

test('the step that shows the final loss is taken back', async (t) => {
  const { end, runs, values } = await trainWith((step) => ({ weights: step }));
  t.is(end, '{"loss":3}');
  t.is(runs, steps + 1);
  t.is(values.weights.data[0], steps);
});
