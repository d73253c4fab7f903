import type { Scalar, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine, HostTensor } from './types.ts';

/** How many floating point operations a second an engine does in training steps of one size. */
export interface Speed {
  /** Operations for each image of trainings that have products of this size, forward and backward; a multiply-add is 2. */
  readonly image: number;
  readonly perSecond: number;
}

/** From small to large; what a slow engine would take too long for is left out. */
export interface EngineSpeed {
  readonly dense: readonly Speed[];
  readonly conv: readonly Speed[];
}

/** An engine that takes longer than this for a step isn't asked for a larger one. In seconds. */
const patience = 0.4;
/** How long a step of one size is measured, in seconds. */
const duration = 0.25;

/** Products in the forward pass and the backward one: the first layer needs no gradient to its input. */
const products = 5;

/** Rows and width of two dense layers: small networks on small images, ViT-Ti, ViT-B. */
const denseSizes = [
  { image: 2e7, rows: 256, width: 64 },
  { image: 2e9, rows: 512, width: 192 },
  { image: 5e10, rows: 784, width: 768 },
] as const;

/** Images, pixels a side and channels of two convolutions. */
const convSizes = [
  { image: 2e7, batch: 8, side: 16, channels: 32 },
  { image: 2e9, batch: 4, side: 32, channels: 64 },
  { image: 5e10, batch: 4, side: 56, channels: 128 },
] as const;

/**
 * Measures training steps of an engine, about a second altogether where it is fast. Throws what the engine throws.
 *
 * @param threads that the engine has on the processor; absent: it computes elsewhere, and other programs don't disturb it
 */
export async function measureSpeed(engine: Engine, threads?: number): Promise<EngineSpeed> {
  return {
    dense: await measureAll({ engine, threads }, denseSizes, dense),
    conv: await measureAll({ engine, threads }, convSizes, conv),
  };
}

/** What is measured. */
interface Subject {
  readonly engine: Engine;
  readonly threads: number | undefined;
}

interface Work {
  readonly flops: number;
  readonly weights: { readonly [name: string]: HostTensor };
  readonly x: HostTensor;
  readonly forward: (weights: readonly Tensor[], x: Tensor) => Tensor;
}

async function measureAll<Size extends { readonly image: number }>(
  subject: Subject,
  sizes: readonly Size[],
  make: (size: Size) => Work,
): Promise<Speed[]> {
  const speeds: Speed[] = [];
  for (const size of sizes) {
    const work = make(size);
    const seconds = await timeStep(subject, work);
    speeds.push({ image: size.image, perSecond: work.flops / seconds });
    if (seconds > patience) break;
  }
  return speeds;
}

/** The shortest of some steps after one that warms up: other programs make steps longer, and none makes them shorter. */
async function timeStep({ engine, threads }: Subject, { weights, x, forward }: Work): Promise<number> {
  const state = engine.state<{ readonly [name: string]: Tensor }>(weights);
  const program = await engine.compile<{ readonly [name: string]: Tensor }, { x: Tensor }, { loss: Tensor }>({
    name: 'speed',
    state,
    batch: { x: { shape: x.shape } },
    step: (current, { x: input }) => {
      const names = Object.keys(current);
      const { value, grads } = tf.valueAndGrads(
        (...given: Tensor[]) => tf.mean(tf.square(forward(given, input))) as Scalar,
      )(names.map((name) => current[name]));
      const next = names.map((name, index) => [name, tf.sub(current[name], tf.mul(grads[index], 1e-6))]);
      return { state: Object.fromEntries(next) as typeof current, out: { loss: value } };
    },
  });
  const times: number[] = [];
  const begun = performance.now();
  while (times.length < 2 || (performance.now() - begun < 1000 * duration && times.length < 20)) {
    times.push(await timeOf(() => program.run({ x }), threads));
    if (times[0] > patience) break;
  }
  program.dispose();
  state.dispose();
  return Math.min(...(times.length > 1 ? times.slice(1) : times));
}

/** Below this share of its threads' time on the processor, other programs had the rest. */
const busyShare = 0.7;

/** Seconds of some work, without the time that other programs had the processor. */
async function timeOf(work: () => Promise<unknown>, threads: number | undefined): Promise<number> {
  const [began, used] = [performance.now(), process.cpuUsage()];
  await work();
  const wall = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(used);
  const own = (user + system) / 1e6 / (threads ?? 1);
  return threads !== undefined && own < busyShare * wall ? own : wall;
}

function dense({ rows, width }: { readonly rows: number; readonly width: number }): Work {
  const hidden = 4 * width;
  return {
    flops: products * 2 * rows * width * hidden,
    weights: { up: numbers([width, hidden]), down: numbers([hidden, width]) },
    x: numbers([rows, width]),
    forward: ([up, down], x) =>
      tf.matMul(tf.relu(tf.matMul(x as Tensor2D, up as Tensor2D)), down as Tensor2D),
  };
}

function conv({
  batch,
  side,
  channels,
}: {
  readonly batch: number;
  readonly side: number;
  readonly channels: number;
}): Work {
  return {
    flops: products * 2 * batch * side ** 2 * 9 * channels ** 2,
    weights: { first: numbers([3, 3, channels, channels]), second: numbers([3, 3, channels, channels]) },
    x: numbers([batch, side, side, channels]),
    forward: ([first, second], x) => {
      const inner = tf.relu(tf.conv2d(x as Tensor4D, first as Tensor4D, 1, 'same'));
      return tf.conv2d(inner as Tensor4D, second as Tensor4D, 1, 'same');
    },
  };
}

/** Small and different, so that nothing overflows or becomes denormal. */
function numbers(shape: readonly number[]): HostTensor {
  const count = shape.reduce((product, length) => product * length, 1);
  return {
    dtype: 'float32',
    shape,
    data: Float32Array.from({ length: count }, (_, i) => Math.sin(i + 1) / 30),
  };
}
