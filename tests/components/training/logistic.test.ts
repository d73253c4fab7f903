import { readFileSync } from 'node:fs';
import test from 'ava';
import {
  type FeatureRows,
  featuresInMemory,
  standardisationOf,
} from '../../../components/training/features.ts';
import { crossEntropyOf, fitLogistic, topOneOf } from '../../../components/training/logistic.ts';

interface Fixture {
  readonly width: number;
  readonly classes: number;
  readonly labels: readonly number[];
  readonly rows: readonly number[];
  readonly fits: readonly { l2: number; loss: number; total: number; top1: number }[];
}

/** Made by `logistic.py`: Newton's method with numpy, checked there against scipy. */
const fixture: Fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/logistic.json', import.meta.url), 'utf8'),
);
const { width, classes } = fixture;
const features: FeatureRows = featuresInMemory(Float32Array.from(fixture.rows), width, fixture.labels);
const scale = standardisationOf(features);

for (const { l2, loss, total, top1 } of fixture.fits) {
  test(`features that depend on each other are fitted to their optimum, l2 ${l2}`, async (t) => {
    const fit = await fitLogistic(features, { classes, scale, l2, tolerance: 1e-8, maxIterations: 1000 });
    t.true(fit.converged);
    t.true(fit.gradientNorm <= 1e-8);
    t.true(Math.abs(fit.value - total) < 1e-9, `${fit.value} instead of ${total}`);
    t.true(Math.abs(fit.loss - loss) < 1e-6, `${fit.loss} instead of ${loss}`);
    t.is(topOneOf(features, scale, classes, fit.x), top1);
  });
}

test('a fit that ran out of iterations says so', async (t) => {
  const fit = await fitLogistic(features, {
    ...{ classes, scale, l2: 1e-6 },
    tolerance: 1e-8,
    maxIterations: 2,
  });
  t.false(fit.converged);
  t.is(fit.iterations, 2);
  t.true(fit.value > fixture.fits[2].total + 1e-4);
});

test('the gradient is that of finite differences', (t) => {
  const x = Float64Array.from({ length: (width + 1) * classes }, (_, i) => Math.sin(3 * i));
  const gradient = new Float64Array(x.length);
  crossEntropyOf(features, scale, classes, x, gradient);
  for (const place of x.keys()) {
    const at = (change: number) =>
      crossEntropyOf(
        features,
        scale,
        classes,
        x.map((v, i) => (i === place ? v + change : v)),
      );
    t.true(Math.abs((at(1e-5) - at(-1e-5)) / 2e-5 - gradient[place]) < 1e-8);
  }
});

test('separable rows without a penalty have no optimum: the fit is not called converged at once', async (t) => {
  const rows = Float32Array.of(-2, -1, 1, 2);
  const separable = featuresInMemory(rows, 1, [0, 0, 1, 1]);
  const fit = await fitLogistic(separable, {
    ...{ classes: 2, scale: standardisationOf(separable), l2: 0 },
    tolerance: 1e-12,
    maxIterations: 5,
  });
  t.false(fit.converged);
  t.true([...fit.x].every(Number.isFinite));
});

test('a stop is obeyed between two iterations', async (t) => {
  const controller = new AbortController();
  controller.abort(new Error('stop'));
  const { signal } = controller;
  const options = { classes, scale, l2: 1e-6, tolerance: 1e-8, maxIterations: 9, signal };
  await t.throwsAsync(fitLogistic(features, options), { message: 'stop' });
});

test('from the optimum of another penalty a fit ends in its own, and sooner than from zero', async (t) => {
  const { l2, total } = fixture.fits[2];
  const options = { classes, scale, tolerance: 1e-8, maxIterations: 1000 };
  const other = await fitLogistic(features, { ...options, l2: 1e-3 });
  const cold = await fitLogistic(features, { ...options, l2 });
  const warm = await fitLogistic(features, { ...options, l2, start: other.x });
  t.true(Math.abs(warm.value - total) < 1e-9);
  t.true(warm.iterations < cold.iterations, `${warm.iterations} against ${cold.iterations}`);
});

test('weights that no feature tells apart do not matter: from far along them the optimum is the same', async (t) => {
  const { l2, total } = fixture.fits[1];
  // The bias of all classes moved by 50 changes no probability.
  const start = new Float64Array((width + 1) * classes).fill(50, width * classes);
  const fit = await fitLogistic(features, {
    ...{ classes, scale, l2, start },
    tolerance: 1e-8,
    maxIterations: 1000,
  });
  t.true(fit.converged);
  t.true(Math.abs(fit.value - total) < 1e-9);
});
