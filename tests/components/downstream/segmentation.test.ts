import { mkdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import test, { type ExecutionContext } from 'ava';
import { PNG } from 'pngjs';
import { vit, vitSchema } from '../../../components/backbone/config.ts';
import { initVit } from '../../../components/backbone/init.ts';
import { readLabelMap } from '../../../components/data/decode/label-map.ts';
import { restOf } from '../../../components/data/subset.ts';
import type { LabelMap } from '../../../components/data/targets.ts';
import type { Dataset } from '../../../components/data/types.ts';
import { loadSegmenter } from '../../../components/downstream/segmentation/checkpoint.ts';
import { upernet } from '../../../components/downstream/segmentation/config.ts';
import { segmenterCounts } from '../../../components/downstream/segmentation/costs.ts';
import type { Seeing } from '../../../components/downstream/segmentation/measure.ts';
import { measureTest } from '../../../components/downstream/segmentation/measure-test.ts';
import { segmentationObjective } from '../../../components/downstream/segmentation/model/objective.ts';
import {
  initSegmenter,
  type Segmenter,
  segment,
} from '../../../components/downstream/segmentation/model/segmenter.ts';
import { run } from '../../../components/downstream/segmentation/stage.ts';
import {
  addAreas,
  noAreas,
  type SegmentationScores,
  scoresOf,
  scoresOfDrawn,
  sparse,
} from '../../../components/downstream/segmentation/test/confusion.ts';
import { type TestImage, testImages } from '../../../components/downstream/segmentation/test/evaluate.ts';
import { scalesOf } from '../../../components/downstream/segmentation/test/scales.ts';
import { MeanLogits } from '../../../components/downstream/segmentation/test/windows.ts';
import type { HostOf, HostTensor } from '../../../components/engine/types.ts';
import { evaluationNorms, type RunningStatistics, trainingNorms } from '../../../components/nn/batch-norm.ts';
import { random } from '../../../components/nn/random.ts';
import { bytesTensor, type HostTree, hostTensor, leaves } from '../../../components/nn/tree.ts';
import { gradientsOf } from '../../../components/training/objective.ts';
import { flatten } from '../../../components/weights/safetensors.ts';
import type { StageFunction, StageInput } from '../../../framework/stage/contract.ts';
import { createProject } from '../../support/project.ts';
import { leafInput } from '../../support/stage-input.ts';
import { attemptStage } from '../../support/stage-runner.ts';
import { differences, furthest, largest, sampled } from '../engine/steps/support/compare.ts';
import { below, readExpected } from '../engine/steps/support/fixture.ts';
import { between, seededWeights, uniforms } from '../engine/steps/support/seeded.ts';
import { compute, type Tensors } from '../engine/steps/support/train.ts';

// Sizes and numbers of tests/fixtures/segmentation/upernet.py.
const backbone = vitSchema.parse({
  ...{ dim: 12, depth: 4, heads: 2, patch: 4, mlpRatio: 2, layerScaleInit: 0.1 },
});
const sizes = { backbone, layers: [1, 2, 3, 4] as const, classes: 5, channels: 8, auxiliary: 6 };
const size = 24;
const batch = {
  images: between('upernet/images', [3, size, size, 3], 0, 1),
  labels: hostTensor(
    [3, size, size],
    Int32Array.from(uniforms('upernet/labels', 3 * size * size), (u) => {
      const label = Math.floor(u * 6);
      return label === 5 ? 255 : label;
    }),
  ),
  noise: between('upernet/noise', [3, 8], 0, 1),
  dropout: between('upernet/dropout', [3, 14], 0, 1),
};
const expected = readExpected('upernet', new URL('../../fixtures/segmentation/', import.meta.url));
const start = seededWeights('upernet', initSegmenter(random(0), initVit(random(0), backbone, size), sizes));
// Numbers of dropout and drop path are in the batch.
const draw = (noise: tf.Tensor) => noise;
const config = { dropPath: 0.3, dropout: 0.2, auxiliary: { weight: 0.4 } };
const objective = segmentationObjective(config, sizes, start, draw);

/** A batch norm follows upon these biases, with no more than a convolution of 1 x 1 between: they change nothing. */
const idle = ['first/enlarge', 'first/enlargeAgain', 'second'].map((name) => `pyramid/${name}/bias`);
const without = (tensors: Tensors, paths: readonly string[]): Tensors =>
  Object.fromEntries(Object.entries(tensors).filter(([path]) => !paths.includes(path)));

type Weights = { readonly parameters: Segmenter<tf.Tensor>; readonly running: RunningStatistics<tf.Tensor> };
const fresh = { parameters: start, running: objective.rest!.init() } as unknown as HostOf<Weights>;

function agrees(t: ExecutionContext, given: Tensors, wanted: Tensors, allowed: number): void {
  t.deepEqual(Object.keys(given).sort(), Object.keys(wanted).sort());
  const { path, distance } = furthest(differences(sampled(given, wanted), wanted, largest));
  t.true(distance <= allowed, `${path} is off by ${distance}, allowed is ${allowed}`);
}

test("UperNet's logits, loss, every gradient and running statistics in training are those of PyTorch", async (t) => {
  const gradients = gradientsOf(objective);
  const out = await compute<typeof batch, object, Weights>(
    { name: 'onnx' },
    fresh,
    batch as never,
    ({ parameters, running }, fed) => {
      const given = fed as unknown as Parameters<typeof objective.loss>[1]['batch'];
      const { gradients: found, out } = gradients({ parameters, rest: running } as never, given, {});
      const { norm } = trainingNorms(running);
      const dropPath = { rate: 0.3, noise: given.noise!, draw };
      const dropout = { rate: 0.2, noise: given.dropout!, draw };
      return {
        training: segment(parameters, sizes, given.images, { norm, dropPath, dropout }),
        loss: out.loss,
        gradient: found.parameters,
        running: objective.rest!.update(running, found.statistics),
      };
    },
  );
  const { training, loss, gradient, running } = out as unknown as { [part: string]: HostTree };
  agrees(t, flatten(training!), below(expected, 'training'), 5e-6);
  t.true(Math.abs((loss as HostTensor).data[0]! - expected.loss!.data[0]!) < 5e-6);
  const wanted = below(expected, 'gradient');
  const found = flatten(gradient!);
  agrees(t, without(found, idle), without(wanted, idle), 2e-5);
  for (const path of idle) {
    t.true(wanted[path]!.data.every((value) => Math.abs(value) < 1e-12));
    t.true(found[path]!.data.every((value) => Math.abs(value) < 1e-6));
  }
  agrees(t, flatten(running!), below(expected, 'running'), 5e-6);
  const evaluated = await compute<{ images: tf.Tensor }, object, Weights>(
    { name: 'onnx' },
    { parameters: start, running } as never,
    { images: batch.images },
    (weights, fed) =>
      segment(weights.parameters, sizes, fed.images, { norm: evaluationNorms(weights.running) }),
  );
  agrees(t, flatten(evaluated as HostTree), below(expected, 'evaluation'), 5e-6);
});

const fixture = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../fixtures/segmentation/${name}.json`, import.meta.url), 'utf8')) as T;

test("mIoU, mAcc and aAcc are mmsegmentation's, also where classes are absent or pixels have none", (t) => {
  const cases =
    fixture<
      {
        readonly name: string;
        readonly classes: number;
        readonly predictions: readonly number[];
        readonly labels: readonly number[];
        readonly images: number;
        readonly pixels: number;
        readonly reduced: boolean;
        readonly scores: SegmentationScores;
        /** Of a test set in which each image is so many times. */
        readonly drawn: { readonly times: readonly number[]; readonly scores: SegmentationScores };
      }[]
    >('iou');
  for (const { name, classes, predictions, labels, images, pixels, reduced, ...wanted } of cases) {
    const seeded = (what: string, numbers: readonly number[]) =>
      uniforms(`${name}/${what}`, pixels).map((u) => numbers[Math.floor(u * numbers.length)]!);
    const areas = noAreas(classes);
    const each = Array.from({ length: images }, (_, image) => {
      const label = seeded(`label/${image}`, labels).map((n) => (!reduced ? n : n === 0 ? 255 : n - 1));
      const [own, predicted] = [noAreas(classes), seeded(`predicted/${image}`, predictions)];
      for (const to of [areas, own]) addAreas(to, predicted, label);
      return sparse(own);
    });
    for (const [given, expected] of [
      [scoresOf(areas), wanted.scores],
      [scoresOfDrawn(each, wanted.drawn.times, classes), wanted.drawn.scores],
      [
        scoresOfDrawn(
          each,
          each.map(() => 1),
          classes,
        ),
        wanted.scores,
      ],
    ] as const)
      for (const metric of ['mIoU', 'mAcc', 'aAcc'] as const)
        t.true(Math.abs(given[metric]! - expected[metric]) < 1e-12, `${name}: ${metric} ${given[metric]}`);
  }
  t.deepEqual(scoresOfDrawn([[]], [1], 3), {});
  t.throws(() => scoresOf(noAreas(3)), { message: /no pixel of the test images has a class/ });
  t.throws(() => scoresOf(noAreas(3), 'held-out images'), { message: /no pixel of held-out images has/ });
});

test('windows, scales and mirror images are averaged as mmsegmentation does, whatever shares a run', async (t) => {
  const cases =
    fixture<
      {
        readonly name: string;
        readonly shape: readonly [number, number];
        readonly pictures: readonly (readonly [number, number])[];
        readonly size: number;
        readonly stride: number;
        readonly flip: boolean;
        readonly labels: string;
      }[]
    >('slide');
  const classes = 4;
  const weight = between('slide/weight', [classes, 3], -0.05, 0.05).data;
  // The fixture's network: a pixel's colours, and where it is in its window.
  const network = (size: number) => async (windows: Uint8Array) => {
    const logits = new Float32Array((windows.length / 3) * classes);
    for (let pixel = 0; pixel < windows.length / 3; pixel++) {
      const [y, x] = [Math.floor(pixel / size) % size, pixel % size];
      for (let k = 0; k < classes; k++) {
        const colours = [0, 1, 2].map((c) => weight[k * 3 + c]! * windows[pixel * 3 + c]!);
        logits[pixel * classes + k] =
          colours.reduce((sum, value) => sum + value, 0) + Math.sin(y * 0.3 + x * 0.2 + k);
      }
    }
    return logits;
  };
  for (const { name, shape, pictures, size: side, stride, flip, labels } of cases) {
    const image: TestImage = {
      index: 0,
      pictures: pictures.map(([height, width], i) => {
        const bytes = uniforms(`slide/${name}/${i}`, height * width * 3).map((u) => Math.floor(u * 256));
        return bytesTensor([height, width, 3], Uint8Array.from(bytes));
      }),
      target: { height: shape[0], width: shape[1], labels: new Uint8Array(shape[0] * shape[1]) },
    };
    const found: string[] = [];
    const weights = pictures.map(() => 1);
    const options = { size: side, stride, flip, classes, weights, fill: [0, 0, 0] };
    const twice = [image, { ...image, index: 1 }];
    for await (const predicted of testImages({ classify: network(side), count: 3 }, twice, options))
      found.push(...predicted.map((one) => one.labels.join('')));
    t.deepEqual(found, [labels, labels], name);
  }
});

test('a pixel that hundreds of windows see has their mean, and windows that leave pixels out are refused', (t) => {
  const mean = new MeanLogits({ height: 1, width: 1 }, 2);
  for (let window = 0; window < 300; window++)
    mean.add({ top: 0, left: 0 }, Float32Array.of(window % 2, 2), 1);
  mean.finish();
  t.deepEqual([...mean.values], [0.5, 2]);
  const issuesOf = (stride: number) => {
    const { expects } = upernet({
      ...{ backbone: vit({ dim: 16, depth: 2, heads: 2, patch: 4 }), steps: 2, view: { size: 16 } },
      testView: { stride },
    });
    const train = { name: 'data.train', facts: { size: 16 } };
    return expects!({ train }).filter(({ path: [field] }) => field === 'testView');
  };
  t.deepEqual(issuesOf(16), []);
  t.deepEqual(
    issuesOf(17).map(({ path, message }) => `${path.join('.')}: ${message}`),
    ['testView.stride: expected at most 16, the size of `view`'],
  );
});

test('no scale of a test makes a picture smaller than a window, and equal ones are looked at once', (t) => {
  const view = { scales: [0.5, 0.75, 1, 1.25, 1.5, 1.75], flip: true };
  t.deepEqual(scalesOf(view, 512), [
    { scale: 1, weight: 3 },
    { scale: 1.25, weight: 1 },
    { scale: 1.5, weight: 1 },
    { scale: 1.75, weight: 1 },
  ]);
  t.deepEqual(
    scalesOf({ ...view, shorter: 1024 }, 512).map(({ scale }) => scale),
    view.scales,
  );
});

test("UperNet on BEiT-B and BEiT-L has the official networks' parameters, and what is counted is made", (t) => {
  const sizesOf = (size: 'base/16' | 'large/16', imageSize: number) => {
    const config = vitSchema.parse(vit(size));
    const heads = { imageSize, classes: 150, channels: config.dim, auxiliary: 256 };
    const { first: _, ...parts } = segmenterCounts(config, heads);
    return Object.values(parts).map(({ parameters }) => parameters);
  };
  t.deepEqual(sizesOf('base/16', 512), [93_308_736, 67_963_542, 1_808_534]);
  const sum = (parts: readonly number[]) => parts.reduce((total, part) => total + part, 0);
  t.is(sum(sizesOf('base/16', 640)), 163_407_980);
  t.is(sum(sizesOf('large/16', 512)), 440_398_636);
  t.is(sum(sizesOf('large/16', 640)), 441_271_084);
  const { backbone: body, decoder, auxiliary } = segmenterCounts(backbone, { ...sizes, imageSize: size });
  const made = leaves<HostTensor>(start as never).reduce((total, { leaf }) => total + leaf.data.length, 0);
  t.is(sum([body, decoder, auxiliary].map(({ parameters }) => parameters)), made);
});

const side = 16;
const colours = [
  [60, 60, 60],
  [200, 60, 60],
  [60, 200, 60],
  [60, 60, 200],
] as const;

/** Squares of three colours on grey, all noisy: the colour is the class. The patch in the corner has no class. */
function squares(count: number): Dataset<LabelMap> {
  const made = Array.from({ length: count }, (_, index) => {
    const [top, left] = uniforms(`square ${index}`, 2).map((u) => 4 * Math.floor(3 * u)) as [number, number];
    const noise = uniforms(`noise ${index}`, side * side * 3);
    const bytes = new Uint8Array(side * side * 3);
    const numbers = new Uint8Array(side * side);
    for (let pixel = 0; pixel < side * side; pixel++) {
      const [y, x] = [Math.floor(pixel / side), pixel % side];
      const label = y >= top && y < top + 8 && x >= left && x < left + 8 ? 1 + (index % 3) : 0;
      numbers[pixel] = y < 4 && x < 4 ? 0 : label + 1;
      for (let c = 0; c < 3; c++) bytes[3 * pixel + c] = colours[label]![c]! + 40 * noise[3 * pixel + c]!;
    }
    return { bytes, numbers };
  });
  const at = (index: number) => made[index] ?? made.at(Number.NaN)!;
  return {
    ...{ name: 'squares', count, classes: ['ground', 'red', 'green', 'blue'], imageSize: side },
    target: async (index) => {
      const { numbers } = at(index);
      return { format: 'raw', numbering: 'from-1', numbers, height: side, width: side };
    },
    image: async (index) => {
      const { bytes } = at(index);
      return { format: 'raw', bytes, height: side, width: side, channels: 3 };
    },
  };
}

const component = upernet({
  backbone: vit({ dim: 16, depth: 2, heads: 2, patch: 4 }),
  ...{ steps: 24, batchSize: 8, learningRate: 2e-2, warmup: 5, layerDecay: 1, channels: 16 },
  auxiliary: { channels: 8 },
  // Also what is drawn has to be the same in a resumed training.
  ...{ dropPath: 0.1, dropout: 0.1 },
  view: { scale: [1, 1.2], maxClassShare: 1, distortion: 'none' },
  testView: { flip: true },
  checkpoint: { validation: { share: 0.25, every: 24 } },
});

test('a segmentation learns its images, is written down, and ends in the same bytes when it is resumed', async (t) => {
  t.deepEqual(component.issues, []);
  const { dir } = createProject(t, {});
  const images = squares(16);
  const input: StageInput = { ...leafInput(component), load: async () => images as never };
  const given = { dir, config: component.config, inputs: { train: input, test: input } };
  const attempt = (more: { name: string; stopAt?: number }) =>
    attemptStage(run as unknown as StageFunction<never>, { ...given, ...more });
  const whole = await attempt({ name: 'whole' });
  const { mIoU, mAcc, aAcc, validation, bestStep } = whole.metrics;
  // All ground would be 0.19. That it comes to 1 on harder images takes a minute: tests/long.
  t.true(mIoU! > 0.5 && mAcc! > 0.5 && aAcc! > 0.8, JSON.stringify(whole.metrics));
  t.true(validation! > 0.4 && bestStep === 24);
  const names = [
    'areas.json',
    'metrics.jsonl',
    'predictions.png',
    'segmenter.json',
    'segmenter.safetensors',
    'truth.png',
  ];
  t.deepEqual(Object.keys(whole.files), names);

  const { weights, classNames, layers } = loadSegmenter(path.join(dir, 'out-whole'));
  t.deepEqual([classNames, layers], [images.classes, [1, 1, 1, 2]]);
  t.deepEqual(weights.running.fusion!.variance.shape, [16]);
  // Eight images of 16 pixels, six times as large, with gaps of 4; above the truth the images.
  const { width, height } = PNG.sync.read(Buffer.from(whole.files['truth.png']!, 'hex'));
  t.deepEqual([width, height], [8 * (96 + 4) + 4, 2 * (96 + 4) + 4]);

  t.is((await attempt({ name: 'stopped', stopAt: 12 })).end, 'stopped');
  const resumed = await attempt({ name: 'stopped' });
  t.is(resumed.past.resumedFrom, 12);
  t.deepEqual(
    names.filter((name) => resumed.files[name] !== whole.files[name]),
    [],
  );
});

test('what was seen before a stop or a kill is not looked at again, and the outputs are the same', async (t) => {
  const { dir } = createProject(t, {});
  // Images of one to four windows, three of which are seen at once; a window's place in its run counts.
  const sizes = [20, 8, 16, 12, 24, 8, 16, 20, 12, 8];
  const data: Dataset<LabelMap> = {
    ...{ name: 'strips', count: sizes.length, classes: ['a', 'b', 'c'] },
    target: async (index) => ({
      ...{ format: 'raw', numbering: 'from-0', height: 8, width: sizes[index]! },
      numbers: Uint8Array.from({ length: 8 * sizes[index]! }, (_, pixel) =>
        pixel % 4 === 3 ? 255 : pixel % 3,
      ),
    }),
    image: async () => ({ format: 'raw', bytes: new Uint8Array(0), height: 8, width: 8, channels: 3 }),
  };
  const seen: number[] = [];
  let runs = 0;
  const classify = (end: number) => async (windows: Uint8Array) => {
    if (++runs > end) throw new Error('stopped');
    const { length } = windows;
    return Float32Array.from(
      { length },
      (_, at) => (windows[at]! * 7 + at * (1 + Math.floor((3 * at) / length))) % 5,
    );
  };
  const seeing = (end: number): Seeing => {
    const images = async function* (images: Dataset<LabelMap>): AsyncGenerator<TestImage> {
      for (let index = 0; index < images.count; index++) {
        const target = await readLabelMap(await images.target(index), 3);
        const picture = new Uint8Array(8 * target.width * 3).map((_, at) => at * at * target.width);
        yield { index, pictures: [bytesTensor([8, target.width, 3], picture)], target };
      }
    };
    const options = { ...{ size: 8, stride: 4, flip: false, weights: [1] }, fill: [0, 0, 0], classes: 3 };
    return {
      ...{ together: 3, images },
      async *over(all, from = 0) {
        seen.push(from);
        for await (const found of testImages(
          { classify: classify(end), count: 3 },
          images(restOf(all, from)),
          options,
        ))
          yield found.map((one) => ({ ...one, image: { ...one.image, index: one.image.index + from } }));
      },
    };
  };
  const attempt = async (name: string, end: number, value = 1) => {
    const [workDir, outDir] = [path.join(dir, `work-${name}`), path.join(dir, `out-${name}`)];
    for (const folder of [workDir, outDir]) mkdirSync(folder, { recursive: true });
    runs = 0;
    const weights = { parameters: { a: hostTensor([1], Float32Array.of(value)) } } as never;
    const { signal } = new AbortController();
    const { scores } = await measureTest({ workDir, outDir, signal }, data, seeing(end), {
      ...{ engine: 'onnx', weights },
    });
    const bytes = ['truth.png', 'predictions.png', 'areas.json'].map((file) =>
      readFileSync(path.join(outDir, file), 'hex'),
    );
    return { scores, bytes };
  };
  const whole = await attempt('whole', 100);
  const all = runs;
  t.true(
    all === 9 && whole.scores.aAcc > 0.2 && whole.scores.aAcc < 0.9,
    `${all} ${JSON.stringify(whole.scores)}`,
  );
  const kept = path.join(dir, 'work-parts/areas-onnx.jsonl');
  for (const end of [1, 6, 2]) {
    await t.throwsAsync(attempt('parts', end), { message: 'stopped' });
    // A kill in the midst of a line.
    truncateSync(kept, statSync(kept).size - 1);
  }
  t.deepEqual(await attempt('parts', 100), whole);
  // Each began where the windows before it filled whole runs.
  const windows = sizes.map((size) => Math.ceil((size - 8) / 4) + 1);
  for (const from of seen) t.is(windows.slice(0, from).reduce((sum, count) => sum + count, 0) % 3, 0);
  t.true(seen.at(-1)! > 2 && runs < all, `${seen}`);
  // All is kept; of other weights nothing is.
  t.deepEqual(await attempt('parts', 0), whole);
  await t.throwsAsync(attempt('parts', 0, 2), { message: 'stopped' });
});

test('label maps without a class are refused before anything is trained', async (t) => {
  const { dir } = createProject(t, {});
  const images = squares(16);
  const none = async () =>
    ({ ...(await images.target(0)), numbers: new Uint8Array(side * side) }) as LabelMap;
  const of = (data: Dataset<LabelMap>): StageInput => ({
    ...leafInput(component),
    load: async () => data as never,
  });
  const attempt = (train: Dataset<LabelMap>, tests: Dataset<LabelMap>) =>
    t.throwsAsync(
      attemptStage(run as unknown as StageFunction<never>, {
        ...{ dir, name: 'none', config: component.config, stopAt: 1 },
        inputs: { train: of(train), test: of(tests) },
      }),
    );
  const empty = { ...images, target: none };
  t.is((await attempt(images, empty))?.message, 'no pixel of the test images has a class');
  t.is(
    (await attempt(empty, images))?.message,
    'no pixel of the training images that are held out for validation has a class',
  );
});

test('configs that can not train or fit nothing are refused with the field', (t) => {
  const of = (changes: object) =>
    upernet({ backbone, steps: 10, view: { size: 32 }, ...changes } as Parameters<typeof upernet>[0]);
  const issues = (changes: object) =>
    of(changes).issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  t.deepEqual(issues({ batchSize: 1 }), ['batchSize must be more than 1']);
  t.deepEqual(issues({ batchSize: 8, microBatch: 1 }), ['microBatch must be more than 1']);
  t.deepEqual(issues({ layers: [1, 2, 3] }).length, 1);
  const wired = (changes: object, facts: object = {}) => {
    const { expects } = of(changes);
    const data = { facts: { target: 'label map', classes: 3, images: 100, size: 32, ...facts } };
    const inputs = { train: { name: 'train', ...data }, test: { name: 'test', ...data } };
    return expects!(inputs as never).map(({ path, message }) => `${path.join('.')} ${message}`);
  };
  t.deepEqual(wired({}), []);
  t.deepEqual(wired({ layers: [1, 2, 3, 5] }), ['layers.3 expected at most 4, the depth of `backbone`']);
  t.deepEqual(wired({ view: { size: 4 } }), ['view.size expected at least 8']);
  t.regex(wired({}, { target: 'class' }).join(), /a class for each image, not a label map/);
  t.regex(wired({}, { images: 8 }).join(), /batchSize expected at most 8, the images of train/);
});
