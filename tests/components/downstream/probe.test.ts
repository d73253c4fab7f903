import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { vit } from '../../../components/backbone/config.ts';
import { fashionMnist } from '../../../components/data/readers/fashion-mnist/config.ts';
import { fineTune } from '../../../components/downstream/finetune/config.ts';
import { type KnnConfig, knn } from '../../../components/downstream/knn/config.ts';
import { run as runKnn } from '../../../components/downstream/knn/stage.ts';
import { linearProbe } from '../../../components/downstream/probe/config.ts';
import { run } from '../../../components/downstream/probe/stage.ts';
import { openEngine } from '../../../components/engine/open.ts';
import { random } from '../../../components/nn/random.ts';
import { featuresInMemory } from '../../../components/training/features.ts';
import { nearestNeighbours } from '../../../components/training/nearest.ts';
import type { StageFunction, StageInput } from '../../../framework/stage/contract.ts';
import type { JsonObject } from '../../../framework/stage/json.ts';
import { imagesOf } from '../../support/images.ts';
import { createProject } from '../../support/project.ts';
import { leafInput } from '../../support/stage-input.ts';
import { attemptStage } from '../../support/stage-runner.ts';
import { inputsOf } from '../support/trainings.ts';

test('a probe without `labels` is fitted to all images', async (t) => {
  const project = createProject(t, {});
  const inputs = inputsOf(project.dir);
  const backbone = vit({ dim: 8, depth: 1, heads: 1, patch: 8 });
  for (const [labels, learnt] of [
    [undefined, 24],
    [8, 8],
  ] as const) {
    const { config } = linearProbe({ backbone, layer: 1, l2: 1, ...(labels ? { labels } : {}) });
    const { shown } = await attemptStage(run as unknown as StageFunction, {
      ...{ dir: project.dir, name: String(learnt), inputs, config: config as unknown as JsonObject },
    });
    // Features of the labelled images, then those of the 24 test images.
    t.is(shown[0]!.of, learnt + 24);
  }
});

const backbone = vit({ dim: 8, depth: 3, heads: 1, patch: 8 });

test('a probe of several layers has the top-1 of each, as a probe of that layer has', async (t) => {
  const { dir } = createProject(t, {});
  const attempt = (name: string, input: Parameters<typeof linearProbe>[0]) => {
    const { config, issues } = linearProbe({ backbone, l2: 1, ...input });
    t.deepEqual(issues, []);
    const options = { dir, name, inputs: inputsOf(dir), config: config as unknown as JsonObject };
    return attemptStage(run as unknown as StageFunction, options);
  };
  const { metrics } = await attempt('all', { layers: 'all' });
  for (const layer of [1, 2, 3]) {
    const alone = await attempt(String(layer), { layer });
    t.is(metrics[`top1_layer${layer}`], alone.metrics.top1);
  }
  t.is(metrics.top1, metrics[`top1_layer${metrics.layer}`]);
  t.true(metrics.validation! >= 0 && metrics.validation! <= 1);
  const some = await attempt('some', { layers: [3, 1] });
  t.deepEqual([some.metrics.top1_layer3, some.metrics.top1_layer2], [metrics.top1_layer3, undefined]);
});

test('features that were extracted before a kill are not extracted again, unless their bytes are damaged', async (t) => {
  const { dir } = createProject(t, {});
  const draw = random(0, 'pixels');
  const pixels = Uint8Array.from({ length: 250 * 64 }, () => draw.int(256));
  const all = imagesOf(pixels, { size: 8, channels: 1 });
  const asked = { train: [] as number[], test: [] as number[] };
  const attempt = (name: string, end: number) => {
    for (const list of Object.values(asked)) list.length = 0;
    const input = (role: keyof typeof asked): StageInput => ({
      ...leafInput(backbone as never),
      load: async () =>
        ({
          ...all,
          image: async (index: number) => {
            asked[role].push(index);
            if (role === 'test' && index >= end) throw new Error('killed');
            return all.image(index);
          },
        }) as never,
    });
    return attemptStage(run as unknown as StageFunction, {
      ...{ dir, name, inputs: { train: input('train'), test: input('test') } },
      config: linearProbe({ backbone, l2: 1, layers: [1, 3] }).config as unknown as JsonObject,
    });
  };
  const whole = await attempt('whole', 250);
  t.deepEqual([asked.train.length, asked.test.length], [250, 250]);
  await t.throwsAsync(attempt('parts', 150));
  const resumed = await attempt('parts', 250);
  t.deepEqual([asked.train.length, Math.min(...asked.test)], [0, 100]);
  t.deepEqual([resumed.metrics, resumed.files], [whole.metrics, whole.files]);
  const file = path.join(dir, 'work-parts/test-onnx-3.features');
  const bytes = readFileSync(file);
  bytes[130 * 8 * 4]! ^= 1;
  writeFileSync(file, bytes);
  t.deepEqual((await attempt('parts', 250)).metrics, whole.metrics);
  t.deepEqual([asked.train.length, Math.min(...asked.test)], [0, 100]);
});

test('a probe has one of `layer` and `layers`, and no layer twice', (t) => {
  const messages = (input: Parameters<typeof linearProbe>[0]) =>
    linearProbe(input).issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  t.deepEqual(messages({}), ['layer is missing']);
  t.deepEqual(messages({ layer: 1, layers: 'all' }), ['layers is given beside `layer`: give one of them']);
  t.deepEqual(messages({ layers: [2, 1, 2] }), ['layers.2 is layer 2 again']);
  t.deepEqual(messages({ layers: [2, 1] }), []);
});

test("nearest neighbours vote as in DINO's evaluation, by numpy", async (t) => {
  const given = JSON.parse(readFileSync(new URL('../../fixtures/knn/knn.json', import.meta.url), 'utf8'));
  const rows = (values: number[], labels: number[]) =>
    featuresInMemory(Float32Array.from(values), given.width, labels);
  const engine = await openEngine({ threads: 1 });
  for (const temperature of [0.07, 1]) {
    const wanted = given.results.filter(
      (result: { temperature: number }) => result.temperature === temperature,
    );
    const found = await nearestNeighbours(
      engine,
      rows(given.train, given.trainLabels),
      rows(given.test, given.testLabels),
      {
        ...{ classes: given.classes, ks: wanted.map(({ k }: { k: number }) => k), temperature },
        signal: new AbortController().signal,
      },
    );
    const counts = found.map(({ k, top1, top5 }) => ({
      k,
      temperature,
      top1: Math.round(top1 * 60),
      top5: Math.round(top5 * 60),
    }));
    t.deepEqual(counts, wanted);
  }
  engine.dispose();
});

test('rows beyond a block count: each test row finds its own copy among 5,000', async (t) => {
  const draw = random(0, 'rows');
  const values = Float32Array.from({ length: 5000 * 4 }, () => draw.normal());
  const labels = Int32Array.from({ length: 5000 }, (_, row) => row % 311);
  const all = featuresInMemory(values, 4, labels);
  const last = featuresInMemory(values.subarray(4 * 4700), 4, labels.subarray(4700));
  const engine = await openEngine({ threads: 1 });
  const options = { classes: 311, ks: [1], temperature: 0.07, signal: new AbortController().signal };
  const right = new Uint8Array(300).fill(1);
  t.deepEqual(await nearestNeighbours(engine, all, last, options), [{ k: 1, top1: 1, top5: 1, right }]);
  values[4 * 4999] = Number.NaN;
  await t.throwsAsync(nearestNeighbours(engine, all, last, options), {
    message: 'row 4999 of the features is not finite',
  });
  engine.dispose();
});

test('neighbours of images: each is its own nearest, and every k has a metric', async (t) => {
  const { dir } = createProject(t, {});
  const made = knn({ backbone, layer: 2, k: [1, 4], temperature: 1000 });
  t.deepEqual(made.issues, []);
  const config = made.config as KnnConfig as unknown as JsonObject;
  const options = { dir, name: 'knn', inputs: inputsOf(dir), config };
  const { metrics } = await attemptStage(runKnn as unknown as StageFunction, options);
  // Test images are the labelled ones.
  t.deepEqual([metrics.top1, metrics.top1_k1, metrics.images], [1, 1, 24]);
  t.true(metrics.top1_k4! < 1);
  t.false('top5' in metrics, 'of two classes');
  const wrong = knn({ backbone, layer: 1, k: [4, 4], labels: 2 }).issues;
  t.deepEqual(
    wrong.map(({ message }) => message),
    ['is 4 again', 'must be at least 4, the neighbours that vote'],
  );
});

test('data of a task of its own win over those of the experiment, also where they are checked', (t) => {
  const [train, test] = [fashionMnist({ split: 'train', range: [0, 200] }), fashionMnist({ split: 'test' })];
  for (const task of [
    fineTune({ backbone, steps: 1, batchSize: 300, train, test }),
    linearProbe({ backbone, layer: 4, train, test }),
    knn({ backbone, layer: 4, k: 300, train, test }),
  ]) {
    t.deepEqual(Object.keys(task.inputs), ['train', 'test']);
    const wired = Object.fromEntries(
      Object.entries(task.inputs).map(([name, { provides = {} }]) => [name, { name, facts: provides }]),
    );
    const found = task.expects!(wired).map(({ path, message }) => `${path.join('.')}: ${message}`);
    t.true(
      found.some((message) => / at most (200|3), the (images|depth) of /.test(message)),
      found.join(),
    );
  }
});
