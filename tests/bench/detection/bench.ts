import type * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { vit, vitSchema } from '../../../components/backbone/config.ts';
import { initVit } from '../../../components/backbone/init.ts';
import { maskRcnnModelFields } from '../../../components/downstream/detection/model/config.ts';
import { detect } from '../../../components/downstream/detection/model/detect.ts';
import { type Detector, initDetector } from '../../../components/downstream/detection/model/detector.ts';
import {
  type DetectionTensors,
  detectionObjective,
  samplingNoise,
} from '../../../components/downstream/detection/model/objective.ts';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostOf, HostTensor, SpecOf } from '../../../components/engine/types.ts';
import type { RunningStatistics } from '../../../components/nn/batch-norm.ts';
import { random } from '../../../components/nn/random.ts';
import { bytesTensor, hostTensor, leaves } from '../../../components/nn/tree.ts';
import {
  type FitBatch,
  type FitState,
  initialState,
  trainingStep,
} from '../../../components/training/objective.ts';
import { stepScalars } from '../../../components/training/schedule.ts';

const classes = 80;
const objects = 100;

/** One training step of Mask R-CNN on ViT-B/16, batch 1, and its detections: time and peak memory of this process. */
export async function benchDetection({
  pixels,
  maskStride,
  steps,
}: {
  readonly pixels: number;
  readonly maskStride: number;
  readonly steps: number;
}): Promise<void> {
  const config = {
    ...z.strictObject(maskRcnnModelFields).parse({}),
    backbone: vitSchema.parse(vit('base/16')),
    dropPath: 0,
  };
  const weights = initVit(random(0, 'vit'), config.backbone, pixels);
  const start = initDetector(random(0, 'detector'), config, weights, classes);
  const count = leaves<HostTensor>(start as never).reduce((sum, { leaf }) => sum + leaf.data.length, 0);
  say(`${count.toLocaleString('en-US')} parameters, ${pixels} pixels, masks of every ${maskStride}. pixel`);
  const objective = detectionObjective({ config, start });
  const recipe = {
    ...{ batchSize: 1, learningRate: 1e-4, weightDecay: 0.05, clipNorm: 0, betas: [0.9, 0.999] as const },
  };
  const batch = batchOf(pixels, maskStride);
  const engine = await openEngine({ name: 'onnx', threads: 2 });
  type State = FitState<Detector<tf.Tensor>, RunningStatistics<tf.Tensor>>;
  const state = engine.state<State>(initialState(objective, recipe));
  const feed = (step: number) =>
    ({
      batch: { ...batch, sampling: samplingNoise(0, { step, first: 0 }) },
      stepScalars: stepScalars(step, recipe.learningRate),
    }) as unknown as HostOf<FitBatch<DetectionTensors<tf.Tensor>>>;
  const train = await timed('compiling the training step', () =>
    engine.compile({
      ...{ name: 'detection', state, step: trainingStep(objective, recipe) },
      batch: feed(0) as unknown as SpecOf<FitBatch<DetectionTensors<tf.Tensor>>>,
    } as never),
  );
  for (let step = 0; step < steps; step++) {
    const out = (await timed(`step ${step + 1}`, () => train.run(feed(step) as never))) as {
      readonly [name: string]: HostTensor;
    };
    say(
      Object.entries(out)
        .map(([name, { data }]) => `${name} ${data[0]!.toFixed(4)}`)
        .join(', '),
    );
  }
  train.dispose();
  const { images, sizes } = batch;
  const find = await timed('compiling the detections', () =>
    engine.compile({
      ...{ name: 'detections', state, batch: { images, sizes } },
      step: (now: State, given: { images: tf.Tensor; sizes: tf.Tensor }) => ({
        state: now,
        out: detect(
          { parameters: now.parameters, rest: now.rest! },
          config,
          given.images,
          given.sizes,
        ) as unknown as { readonly [name: string]: tf.Tensor },
      }),
    } as never),
  );
  await timed('detections of an image', () => find.run({ images, sizes } as never));
  engine.dispose();
}

/** A picture of noise with as many objects as there may be. */
function batchOf(pixels: number, maskStride: number) {
  const numbers = random(0, 'picture');
  const side = pixels / maskStride;
  const boxes = new Float32Array(objects * 4);
  const masks = new Uint8Array(objects * side * side);
  for (let object = 0; object < objects; object++) {
    const [width, height] = [0, 0].map(() => 16 + numbers.int(pixels / 2)) as [number, number];
    const [x, y] = [numbers.int(pixels - width), numbers.int(pixels - height)];
    boxes.set([x, y, x + width, y + height], 4 * object);
    for (let row = Math.ceil(y / maskStride); row < (y + height) / maskStride; row++) {
      const first = object * side * side + row * side;
      masks.fill(1, first + Math.ceil(x / maskStride), first + Math.floor((x + width) / maskStride));
    }
  }
  return {
    images: bytesTensor(
      [1, pixels, pixels, 3],
      Uint8Array.from({ length: pixels * pixels * 3 }, () => numbers.int(256)),
    ),
    boxes: hostTensor([1, objects, 4], boxes),
    classes: hostTensor(
      [1, objects],
      Int32Array.from({ length: objects }, () => numbers.int(classes)),
    ),
    masks: bytesTensor([1, objects, side, side], masks),
    sizes: hostTensor([1, 2], Int32Array.of(pixels, pixels)),
  };
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const [wall, processor] = [performance.now(), process.cpuUsage()];
  const made = await work();
  const { user, system } = process.cpuUsage(processor);
  const peak = process.resourceUsage().maxRSS / 2 ** 20;
  const seconds = (value: number) => `${value.toFixed(1)} s`;
  say(
    `${what}: ${seconds((performance.now() - wall) / 1000)}, processor ${seconds((user + system) / 1e6)}, peak until now ${peak.toFixed(2)} GiB`,
  );
  return made;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
