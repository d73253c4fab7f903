import type * as tf from '@tensorflow/tfjs-core';
import test, { type ExecutionContext } from 'ava';
import { vitSchema } from '../../../components/backbone/config.ts';
import { initVit } from '../../../components/backbone/init.ts';
import { segmentationObjective } from '../../../components/downstream/segmentation/model/objective.ts';
import {
  initSegmenter,
  type Segmenter,
  segment,
} from '../../../components/downstream/segmentation/model/segmenter.ts';
import type { HostOf, HostTensor } from '../../../components/engine/types.ts';
import { evaluationNorms, type RunningStatistics, trainingNorms } from '../../../components/nn/batch-norm.ts';
import { random } from '../../../components/nn/random.ts';
import { type HostTree, hostTensor } from '../../../components/nn/tree.ts';
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
