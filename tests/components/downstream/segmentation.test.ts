import { readFileSync } from 'node:fs';
import type * as tf from '@tensorflow/tfjs-core';
import test, { type ExecutionContext } from 'ava';
import { vit, vitSchema } from '../../../components/backbone/config.ts';
import { initVit } from '../../../components/backbone/init.ts';
import { upernet } from '../../../components/downstream/segmentation/config.ts';
import { segmenterCounts } from '../../../components/downstream/segmentation/costs.ts';
import { segmentationObjective } from '../../../components/downstream/segmentation/model/objective.ts';
import {
  initSegmenter,
  type Segmenter,
  segment,
} from '../../../components/downstream/segmentation/model/segmenter.ts';
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
