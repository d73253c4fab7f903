import test, { type ExecutionContext } from 'ava';
import { cosine, learningRateAt } from '../../../components/training/schedule.ts';

const at = (step: number) => cosine(1, 0.2, { step, steps: 110, warmup: 11 });

test('the warm-up is linear from 0 and reaches the peak, as in BEiT', (t) => {
  t.is(at(0), 0);
  t.is(at(5), 0.5);
  t.is(at(10), 1);
  t.is(at(11), 1);
});

test('half of the cosine is the mean of peak and minimum, the end is near the minimum', (t) => {
  t.true(Math.abs(at(11 + 99 / 2) - 0.6) < 1e-12);
  t.true(at(109) - 0.2 < 0.001);
});

const rates = (recipe: Parameters<typeof learningRateAt>[0], length: { steps: number; warmup?: number }) =>
  Array.from({ length: length.steps }, (_, step) => learningRateAt(recipe, { step, ...length }));

const isClose = (t: ExecutionContext, actual: readonly number[], expected: readonly number[]) => {
  t.is(actual.length, expected.length);
  expected.forEach((value, step) => {
    t.true(
      Math.abs(actual[step]! - value) < 1e-12 * Math.abs(value) + 1e-20,
      `step ${step}: ${actual[step]}`,
    );
  });
};

test('a polynomial rate is that of PyTorch, and with a warm-up that of MMCV', (t) => {
  const poly = (power: number, warmupFrom = 1e-6) => ({ kind: 'poly', power, warmupFrom }) as const;
  // torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=8, power=0.9), PyTorch 2.15
  isClose(
    t,
    rates({ learningRate: 2, schedule: poly(0.9) }, { steps: 8 }),
    [
      2, 1.7735247085144146, 1.5437790134471407, 1.3101529868361972, 1.0717734625362931, 0.8272906893165525,
      0.5743491774985174, 0.307786103336229,
    ],
  );
  // PolyLrUpdaterHook and LrUpdaterHook of MMCV 1.x by their formulas in float64.
  isClose(
    t,
    rates({ learningRate: 3e-5, schedule: poly(1) }, { steps: 10, warmup: 4 }),
    [
      3.000000000086267e-11, 6.75002025e-6, 1.2000012e-5, 1.575000525e-5, 1.8e-5, 1.5e-5, 1.2e-5, 9e-6, 6e-6,
      3e-6,
    ],
  );
  const floor = { learningRate: 0.01, minLearningRate: 1e-4, schedule: poly(0.9) };
  isClose(
    t,
    rates(floor, { steps: 10, warmup: 4 }),
    [
      1.0000000000287556e-8, 0.002276099954084709, 0.004099362222309873, 0.00546122933391803,
      0.006351314088144618, 0.005405278639554652, 0.004439994576485461, 0.003449996272826334,
      0.002425745507314277, 0.0013463361576762254,
    ],
  );
});

test('a rate that falls in steps is that of PyTorch, and warms up as PyTorch', (t) => {
  const steps = { kind: 'steps', at: [8 / 12, 11 / 12], factor: 0.1, warmupFrom: 1e-3 } as const;
  // MultiStepLR(optimizer, [8, 11], 0.1)
  isClose(
    t,
    rates({ learningRate: 2, schedule: steps }, { steps: 12 }),
    [2, 2, 2, 2, 2, 2, 2, 2, 0.2, 0.2, 0.2, 0.02],
  );
  // LinearLR(optimizer, start_factor=0.001, total_iters=4)
  isClose(
    t,
    rates({ learningRate: 2, schedule: steps }, { steps: 12, warmup: 4 }).slice(0, 6),
    [0.002, 0.5015, 1.001, 1.5005, 2, 2],
  );
});

test('without a schedule the rate is a cosine', (t) => {
  const length = { steps: 20, warmup: 3 };
  const recipe = { learningRate: 1, minLearningRate: 0.1 };
  const expected = Array.from({ length: 20 }, (_, step) => cosine(1, 0.1, { step, ...length }));
  t.deepEqual(rates(recipe, length), expected);
  t.deepEqual(rates({ ...recipe, schedule: { kind: 'cosine' } }, length), expected);
});
