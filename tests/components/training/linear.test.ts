import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { openEngine } from '../../../components/engine/open.ts';
import { random } from '../../../components/nn/random.ts';
import { featuresInMemory, standardisationOf, storeFeatures } from '../../../components/training/features.ts';
import {
  describeFit,
  type LinearOptions,
  linearOfKinds,
  linearTopOne,
  quietly,
} from '../../../components/training/linear.ts';
import { crossEntropyOf, fitLogistic } from '../../../components/training/logistic.ts';
import { fitInMinibatches } from '../../../components/training/minibatch-linear.ts';
import { formatError } from '../../../framework/stage/errors.ts';

const quiet = quietly(new AbortController().signal);
const minibatch = { above: 1e9, epochs: 40, batchSize: 32, learningRate: 0.1, weightDecay: 0 };
const options: LinearOptions = { classes: 3, l2: 'auto', steps: 500, seed: 0, minibatch };

/** Three overlapping clouds in the plane, and `noise` columns that say nothing. */
function clouds(count: number, noise: number, seed: number) {
  const draw = random(seed, 'clouds');
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const rows = Array.from(labels, (label) => [
    draw.normal() + 2 * Math.cos((label * 2 * Math.PI) / 3),
    draw.normal() + 2 * Math.sin((label * 2 * Math.PI) / 3),
    ...Array.from({ length: noise }, () => draw.normal()),
  ]);
  return featuresInMemory(Float32Array.from(rows.flat()), 2 + noise, labels);
}

test('a classifier of known clouds is as good as Bayes allows, and says that it converged', async (t) => {
  const engine = await openEngine({ threads: 1 });
  const result = await linearTopOne(quiet, engine, clouds(600, 0, 1), clouds(6000, 0, 2), options);
  // Sectors of 120 degrees around centres at distance 2 with unit noise: 92.6 % by numerical integration.
  t.true(Math.abs(result.top1 - 0.926) < 0.012, String(result.top1));
  t.is(result.converged, 1);
  t.true(result.gradientNorm! <= 1e-6);
  engine.dispose();
});

test('with more columns of noise than rows allow, a strong penalty is chosen', async (t) => {
  const engine = await openEngine({ threads: 1 });
  const few = await linearTopOne(quiet, engine, clouds(90, 60, 1), clouds(300, 60, 2), options);
  const many = await linearTopOne(quiet, engine, clouds(3000, 2, 1), clouds(300, 2, 2), options);
  t.true(few.l2! >= 1e-2, String(few.l2));
  t.true(many.l2! < few.l2!);
  engine.dispose();
});

test('features that are not finite are refused, where they are fitted to and where they are measured on', async (t) => {
  const good = clouds(60, 1, 1);
  const engine = await openEngine({ threads: 1 });
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const rows = good.read(Array.from({ length: 60 }, (_, i) => i)).slice();
    rows[3 * 41 + 2] = bad;
    const odd = featuresInMemory(rows, 3, good.labels);
    for (const minibatched of [options, { ...options, minibatch: { ...minibatch, above: 0, epochs: 1 } }]) {
      t.is(
        formatError(await t.throwsAsync(linearTopOne(quiet, engine, odd, good, minibatched))),
        'feature 2 of the labelled images is not finite\n  the training before it diverged: lower its learning rate',
      );
      await t.throwsAsync(linearTopOne(quiet, engine, good, odd, minibatched), {
        message: 'row 41 of the features has scores that are not finite',
      });
    }
  }
  engine.dispose();
});

test('rows of one class, a single row, and columns of any size are fitted', async (t) => {
  const engine = await openEngine({ threads: 1 });
  const some = clouds(60, 0, 1);
  const places = Array.from({ length: 60 }, (_, i) => i);
  const one = featuresInMemory(some.read(places), 2, new Int32Array(60).fill(1));
  t.is((await linearTopOne(quiet, engine, one, some, options)).top1, 1 / 3);
  const single = featuresInMemory(some.read([2]), 2, [2]);
  t.is((await linearTopOne(quiet, engine, single, some, options)).top1, 1 / 3);
  const plain = await linearTopOne(quiet, engine, some, some, { ...options, l2: 0.01 });
  const scaled = some.read(places).map((value, i) => (i % 2 === 0 ? value * 2 ** -90 : value * 2 ** 90));
  const rows = featuresInMemory(scaled, 2, some.labels);
  const same = await linearTopOne(quiet, engine, rows, rows, { ...options, l2: 0.01 });
  t.deepEqual([same.top1, same.loss], [plain.top1, plain.loss], 'powers of two change nothing');
  engine.dispose();
});

test('separable rows without a penalty have no optimum, and the result says so', async (t) => {
  const engine = await openEngine({ threads: 1 });
  const rows = featuresInMemory(Float32Array.of(0, 1, 10, 11, 20, 21), 1, [0, 0, 1, 1, 2, 2]);
  const fit = await linearTopOne(quiet, engine, rows, rows, { ...options, l2: 0, steps: 5000 });
  t.deepEqual([fit.top1, fit.converged], [1, 0]);
  t.true(fit.gradientNorm! <= 1e-6);
  t.is(describeFit(6, fit), '6 labels, separable and without a penalty, so there is no optimum');
  const penalised = await linearTopOne(quiet, engine, rows, rows, { ...options, l2: 1e-3 });
  t.is(penalised.converged, 1);
  engine.dispose();
});

test('a penalty that is given is taken', async (t) => {
  const engine = await openEngine({ threads: 1 });
  const result = await linearTopOne(quiet, engine, clouds(90, 1, 1), clouds(90, 1, 2), {
    ...options,
    l2: 0.25,
  });
  t.is(result.l2, 0.25);
  engine.dispose();
});

test('minibatches come near the optimum of the same rows', async (t) => {
  const features = clouds(640, 1, 3);
  const scale = standardisationOf(features);
  const best = await fitLogistic(features, {
    ...{ classes: 3, scale, l2: 0 },
    tolerance: 1e-6,
    maxIterations: 500,
  });
  const engine = await openEngine({ threads: 1 });
  const pair = { labelled: features, test: features, scale };
  const [{ x, steps }] = await fitInMinibatches(quiet, engine, [pair], options);
  engine.dispose();
  t.is(steps, 800);
  const loss = crossEntropyOf(features, scale, 3, x);
  t.true(loss - best.loss < 0.005, `${loss} instead of ${best.loss}`);
  t.true(loss >= best.loss);
});

test('of several kinds of features and rates the best on held-out rows shows, whichever way they are fitted', async (t) => {
  const engine = await openEngine({ threads: 1 });
  const [labelled, tested] = [clouds(300, 0, 1), clouds(300, 0, 2)];
  const kinds = [
    { labelled, test: tested },
    { labelled: noise(300, 3, labelled.labels), test: noise(300, 4, tested.labels) },
  ];
  for (const above of [1e9, 0]) {
    const rates = { ...minibatch, above, epochs: 10, learningRate: [1e-6, 0.1] };
    const [good, bad] = await linearOfKinds(quiet, engine, kinds, { ...options, minibatch: rates });
    t.true(good!.top1 > 0.85 && good!.validation! > 0.8, `${good!.top1} ${good!.validation}`);
    t.true(bad!.top1 < 0.5 && bad!.validation! < 0.55, `${bad!.top1} ${bad!.validation}`);
  }
  // A rate beside another one is trained as it is alone.
  const pair = { labelled, test: tested, scale: standardisationOf(labelled) };
  const both = { ...options, minibatch: { ...minibatch, epochs: 2, learningRate: [0.1, 1e-6] } };
  const [chosen] = await fitInMinibatches(quiet, engine, [pair], both);
  const held = await fitInMinibatches(quiet, engine, [pair, pair], {
    ...both,
    minibatch: { ...both.minibatch, learningRate: 0.1 },
  });
  t.is(chosen!.learningRate, 0.1);
  t.deepEqual(chosen!.x, held[0]!.x);
  engine.dispose();
});

/** Columns that say nothing. */
function noise(count: number, seed: number, labels: ArrayLike<number>) {
  const draw = random(seed, 'noise');
  return featuresInMemory(
    Float32Array.from({ length: 2 * count }, () => draw.normal()),
    2,
    labels,
  );
}

test('rows in a file are those in memory', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'features-'));
  const draw = random(1, 'rows');
  const rows = Float32Array.from({ length: 50 * 7 }, () => draw.normal());
  const labels = Int32Array.from({ length: 50 }, (_, i) => i);
  const stores = [2 ** 30, 0].map((memory) => {
    const store = storeFeatures({ count: 50, width: 7, folder, name: 'test' }, memory);
    store.append(rows.slice(0, 21 * 7));
    store.append(rows.slice(21 * 7));
    return store.done(labels);
  });
  for (const places of [[0], [49, 0, 1, 2, 30, 31, 5], Array.from(labels)]) {
    const expected = places.flatMap((place) => [...rows.slice(place * 7, place * 7 + 7)]);
    for (const store of stores) t.deepEqual([...store.read(places)], expected);
  }
  t.deepEqual(standardisationOf(stores[0]), standardisationOf(stores[1]));
});

test('columns get mean 0 and variance 1; one that never varies becomes 0', (t) => {
  const { mean, factor } = standardisationOf(featuresInMemory(Float32Array.of(1, 0.1, 3, 0.1), 2, [0, 1]));
  t.deepEqual(
    [...mean].map((v) => v.toFixed(6)),
    ['2.000000', '0.100000'],
  );
  t.deepEqual([...factor], [1, 0]);
});

test('where a pass has more products than it should, minibatches are used and the result says so', async (t) => {
  const engine = await openEngine({ threads: 1 });
  const features = clouds(64, 1, 1);
  const result = await linearTopOne(quiet, engine, features, features, {
    ...options,
    minibatch: { ...minibatch, above: 64 * 3 * 3 - 1, epochs: 2 },
  });
  const exact = await linearTopOne(quiet, engine, features, features, {
    ...options,
    minibatch: { ...minibatch, above: 64 * 3 * 3 },
  });
  engine.dispose();
  t.deepEqual([result.iterations, result.converged, result.l2], [4, 0, undefined]);
  t.is(exact.converged, 1);
});

test('a fit says on how many labels it was made, and what speaks against it', (t) => {
  const right = Uint8Array.of(1, 0);
  const fit = { top1: 0.5, right, loss: 1, iterations: 300, gradientNorm: 1e-7, converged: 1 };
  t.is(describeFit(5000, fit), '5,000 labels');
  t.is(
    describeFit(5000, { ...fit, gradientNorm: 1e-3, converged: 0 }),
    '5,000 labels, stopped before the optimum',
  );
  t.is(
    describeFit(100, { top1: 0.5, right, loss: 1, iterations: 9, converged: 0 }),
    '100 labels, in minibatches',
  );
});
