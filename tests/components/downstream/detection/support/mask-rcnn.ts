import type * as tf from '@tensorflow/tfjs-core';
import type { ExecutionContext } from 'ava';
import { z } from 'zod';
import { type VitConfig, vitSchema } from '../../../../../components/backbone/config.ts';
import { initVit } from '../../../../../components/backbone/init.ts';
import { maskRcnnModelFields } from '../../../../../components/downstream/detection/model/config.ts';
import { detect } from '../../../../../components/downstream/detection/model/detect.ts';
import {
  type Detector,
  type DetectorConfig,
  initDetector,
} from '../../../../../components/downstream/detection/model/detector.ts';
import {
  type DetectionTensors,
  detectionObjective,
} from '../../../../../components/downstream/detection/model/objective.ts';
import type { HostOf, HostTensor } from '../../../../../components/engine/types.ts';
import type { RunningStatistics } from '../../../../../components/nn/batch-norm.ts';
import { random } from '../../../../../components/nn/random.ts';
import { bytesTensor, type HostTree, hostTensor } from '../../../../../components/nn/tree.ts';
import { gradientsOf } from '../../../../../components/training/objective.ts';
import { flatten } from '../../../../../components/weights/safetensors.ts';
import { differences, furthest, largest, sampled } from '../../../engine/steps/support/compare.ts';
import { below, type Expected } from '../../../engine/steps/support/fixture.ts';
import { between, seededWeights, uniforms } from '../../../engine/steps/support/seeded.ts';
import { compute, type Tensors } from '../../../engine/steps/support/train.ts';

/** The sizes of tests/fixtures/detection/mask_rcnn.py. */
export interface Sizes {
  readonly seed: string;
  readonly size: number;
  readonly batch: number;
  readonly objects: number;
  readonly classes: number;
  readonly config: DetectorConfig;
}

const fields = z.strictObject(maskRcnnModelFields);

export const small: Sizes = {
  ...{ seed: 'mask-rcnn', size: 32, batch: 3, objects: 3, classes: 4 },
  config: {
    ...fields.parse({
      fpnChannels: 8,
      rpn: { before: { train: 60, test: 40 }, after: { train: 40, test: 24 }, samples: 32 },
      // So low that proposals are positive, too, not only objects.
      boxHead: { size: 5, width: 16, samples: 24, positiveFrom: 0.3 },
      maskHead: { size: 4, convolutions: 2, channels: 8 },
      pooling: { size: 8, level: 2 },
      detections: { most: 8 },
    }),
    layers: [1, 2, 3, 4],
    backbone: vitSchema.parse({
      ...{ dim: 12, depth: 4, heads: 2, patch: 4, mlpRatio: 2, layerScaleInit: 0.1 },
    }),
  },
};

/**
 * ViT-B/16 with torchvision's heads. All proposals are in the sample: chance goes by rank, and of a thousand proposals some rank
 * is a matter of rounding. With random weights all 80 classes have scores about 0.014.
 */
export function base(backbone: VitConfig): Sizes {
  const shape = { seed: 'mask-rcnn-base', size: 224, batch: 2, objects: 5, classes: 80 };
  const few = { train: 300, test: 300 };
  const rpn = { before: { train: 600, test: 300 }, after: few };
  return { ...shape, config: { ...fields.parse({ rpn, detections: { score: 0.01464 } }), backbone } };
}

/** Numbers of the fixture: images, pictures of several sizes, an ellipse in each box, no object in the third image. */
export function batchOf({ seed, size, batch, objects, classes, config }: Sizes) {
  const boxes = new Float32Array(batch * objects * 4);
  const labels = new Int32Array(batch * objects).fill(-1);
  const masks = new Uint8Array(batch * objects * size * size);
  const part = Math.floor((size * 3) / 4);
  const pictures = [
    [size, size],
    [size, part],
    [part, size],
  ].slice(0, batch) as [number, number][];
  const numbers = uniforms(`${seed}/objects`, batch * objects * 5);
  for (let object = 0; object < Math.min(batch, 2) * objects; object++) {
    const [height, width] = pictures[Math.floor(object / objects)]!;
    const [left, top, wide, high, label] = numbers.slice(object * 5) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const [w, h] = [4 + Math.floor(wide * (width - 8)), 4 + Math.floor(high * (height - 8))];
    const [x, y] = [Math.floor(left * (width - w)), Math.floor(top * (height - h))];
    boxes.set([x, y, x + w, y + h], object * 4);
    labels[object] = Math.floor(label * classes);
    for (let place = 0; place < size * size; place++) {
      const [row, column] = [Math.floor(place / size) + 0.5, (place % size) + 0.5];
      const far = ((column - x - w / 2) / (w / 2)) ** 2 + ((row - y - h / 2) / (h / 2)) ** 2;
      masks[object * size * size + place] = far < 1 ? 1 : 0;
    }
  }
  const side = size / config.backbone.patch;
  const places = [4 * side, 2 * side, side, side / 2, Math.ceil(side / 4)].reduce((sum, s) => sum + s * s, 0);
  const chances = 3 * places + config.rpn.after.train + objects;
  return {
    images: between(`${seed}/images`, [batch, size, size, 3], 0, 1),
    boxes: hostTensor([batch, objects, 4], boxes),
    classes: hostTensor([batch, objects], labels),
    masks: bytesTensor([batch, objects, size, size], masks),
    sizes: hostTensor([batch, 2], Int32Array.from(pictures.flat())),
    sampling: between(`${seed}/chances`, [batch, chances], 0, 1),
  };
}

export function startOf({ seed, size, classes, config }: Sizes): Detector<HostTensor> {
  const vit = initVit(random(0), config.backbone, size);
  return seededWeights(seed, initDetector(random(0), config, vit, classes));
}

/** Before a batch norm, with no more than a convolution of 1 x 1 between: these biases change nothing. */
const idle = ['pyramid/first/enlarge/bias'];

export interface Allowed {
  readonly forward: number;
  readonly gradient: number;
}

/** Compares losses, every gradient, running statistics and detections with what PyTorch computed in float64. */
export async function compareWithTorch(
  t: ExecutionContext,
  sizes: Sizes,
  expected: Expected,
  { forward, gradient: allowed }: Allowed,
): Promise<void> {
  const { config } = sizes;
  const batch = batchOf(sizes);
  const start = startOf(sizes);
  const draw = (noise: tf.Tensor) => noise;
  const objective = detectionObjective({ config: { ...config, dropPath: 0 }, start, draw });
  type Weights = { readonly parameters: Detector<tf.Tensor>; readonly running: RunningStatistics<tf.Tensor> };
  const fresh = { parameters: start, running: objective.rest!.init() } as unknown as HostOf<Weights>;
  const gradients = gradientsOf(objective);
  const out = (await compute<DetectionTensors<tf.Tensor>, object, Weights>(
    { name: 'onnx' },
    fresh,
    batch as never,
    ({ parameters, running }, fed) => {
      const made = gradients({ parameters, rest: running } as never, fed, {} as never);
      return {
        loss: { all: made.out.loss!, ...made.out } as never,
        gradient: made.gradients.parameters as never,
        running: objective.rest!.update(running, made.gradients.statistics) as never,
      };
    },
  )) as unknown as { [part: string]: HostTree };
  const far = (given: Tensors, wanted: Tensors) =>
    furthest(differences(sampled(given, wanted), wanted, largest));
  const report = (what: string, { path, distance }: { path: string; distance: number }, most: number) => {
    t.log(`${what}: ${path} is off by ${distance.toExponential(1)}`);
    t.true(distance <= most, `${what}: ${path} is off by ${distance}, allowed is ${most}`);
  };
  report('losses', far(flatten(out.loss!), below(expected, 'loss')), forward);
  const wanted = below(expected, 'gradient');
  const found = flatten(out.gradient!);
  t.deepEqual(Object.keys(found).sort(), Object.keys(wanted).sort());
  const moving = Object.fromEntries(Object.entries(wanted).filter(([path]) => !idle.includes(path)));
  report('gradients', far(found, moving), allowed);
  const running = out.running as unknown as { readonly pyramid: HostTree };
  report('running statistics', far(flatten(running.pyramid), below(expected, 'running')), forward);
  const detections = (await compute<{ images: tf.Tensor; sizes: tf.Tensor }, object, Weights>(
    { name: 'onnx' },
    { parameters: start, running: out.running } as never,
    { images: batch.images, sizes: batch.sizes },
    (weights, fed) =>
      detect(
        { parameters: weights.parameters, rest: weights.running },
        config,
        fed.images,
        fed.sizes,
      ) as never,
  )) as unknown as { readonly [name: string]: HostTensor };
  compareDetections(t, detections, expected, forward, report);
}

function compareDetections(
  t: ExecutionContext,
  { boxes, scores, classes, masks }: { readonly [name: string]: HostTensor },
  expected: Expected,
  forward: number,
  report: (what: string, worst: { path: string; distance: number }, most: number) => void,
): void {
  const [images, most] = scores!.shape as [number, number];
  const side = masks!.shape[2]!;
  for (let image = 0; image < images; image++) {
    const wanted = below(expected, `found/${image}`);
    const count = wanted.scores!.data.length;
    const own = (tensor: HostTensor, width: number) => {
      const data = tensor.data.slice(image * most * width, (image * most + count) * width);
      return { dtype: tensor.dtype, shape: [data.length], data } as HostTensor;
    };
    t.deepEqual([...own(classes!, 1).data], [...wanted.classes!.data]);
    const given = { scores: own(scores!, 1), boxes: own(boxes!, 4), masks: own(masks!, side * side) };
    const flat = (tensor: HostTensor) => ({ ...tensor, shape: [tensor.data.length] });
    const truth = { scores: wanted.scores!, boxes: flat(wanted.boxes!), masks: wanted.masks! };
    report(
      `detections of image ${image}`,
      furthest(differences(sampled(given, truth), truth, largest)),
      forward,
    );
    t.true(scores!.data.slice(image * most + count, (image + 1) * most).every((score) => score === -1));
    t.true(classes!.data.slice(image * most + count, (image + 1) * most).every((each) => each === -1));
  }
}
