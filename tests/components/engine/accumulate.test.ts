import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import type { Accumulating } from '../../../components/engine/accumulate.ts';
import { accumulate, accumulating, runAccumulated } from '../../../components/engine/accumulate.ts';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostOf, HostTensor, Program } from '../../../components/engine/types.ts';
import { EngineError } from '../../../components/engine/types.ts';
import { floats } from './support/arbitrary.ts';
import type { Weights } from './support/models.ts';
import { autoencoder } from './support/models.ts';

type Model = { readonly weights: Weights; readonly velocity: Weights };
type Images = { readonly images: Tensor };
type Rate = { readonly rate: Tensor };
type Codebook = { readonly codebook: Tensor };

const scalar = (value: number): HostTensor => ({
  dtype: 'float32',
  shape: [],
  data: Float32Array.of(value),
});

function gradients({ weights }: Model, { images }: Images, { codebook }: Codebook) {
  const names = Object.keys(weights);
  const rebuild = (tensors: readonly Tensor[]): Weights =>
    Object.fromEntries(names.map((name, index) => [name, tensors[index]!]));
  const { value, grads } = tf.valueAndGrads(
    (...given: Tensor[]) => autoencoder.loss(rebuild(given), codebook, images) as Scalar,
  )(Object.values(weights));
  return { gradients: rebuild(grads), out: { loss: value as Tensor } };
}

/** Gradient descent with momentum. */
function update({ weights, velocity }: Model, grads: Weights, { rate }: Rate) {
  const map = (change: (name: string) => Tensor): Weights =>
    Object.fromEntries(Object.keys(weights).map((name) => [name, change(name)]));
  const moved = map((name) => tf.add(tf.mul(velocity[name]!, 0.9), grads[name]!));
  return {
    state: {
      weights: map((name) => tf.sub(weights[name]!, tf.mul(moved[name]!, rate))),
      velocity: moved,
    },
    out: {},
  };
}

const initial = (): HostOf<Model> => {
  const weights = autoencoder.weights();
  const velocity = Object.fromEntries(
    Object.entries(weights).map(([name, { shape }]) => [
      name,
      { dtype: 'float32' as const, shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) },
    ]),
  );
  return { weights, velocity } as HostOf<Model>;
};

const images = [1, 2, 3].map((seed) => floats([4, 8, 8, 3], seed, { min: 0, max: 1 }));
const codebook = autoencoder.codebook();
const rate = { rate: scalar(0.1) };

/** The images of a batch in parts. */
function split({ shape, data }: HostTensor, parts: number): HostTensor[] {
  const size = data.length / parts;
  return Array.from({ length: parts }, (_, part) => ({
    dtype: 'float32',
    shape: [shape[0]! / parts, ...shape.slice(1)],
    data: data.slice(part * size, (part + 1) * size),
  }));
}

async function trainWhole(engineName: string): Promise<HostOf<Model>> {
  const engine = await openEngine({ name: engineName });
  const state = engine.state<Model>(initial());
  const program = await engine.compile<Model, Images & Rate, object, Codebook>({
    name: 'whole',
    state,
    batch: { images: images[0]!, rate: { shape: [] } },
    constants: { codebook },
    step: (before, batch, constants) => update(before, gradients(before, batch, constants).gradients, batch),
  });
  for (const batch of images) await program.run({ images: batch, ...rate });
  const trained = state.read();
  engine.dispose();
  return trained;
}

async function compileParts(engineName: string, parts: number) {
  const engine = await openEngine({ name: engineName });
  const start = initial();
  const state = engine.state<Accumulating<Model, Weights>>(
    accumulating<Model, Weights>(start, start.weights),
  );
  const steps = accumulate<Model, Images, Rate, Weights, { loss: Tensor }, object, Codebook>({
    gradients,
    update,
  });
  const constants = { codebook };
  const add = await engine.compile({
    name: 'add',
    step: steps.add,
    state,
    batch: { images: { shape: [4 / parts, 8, 8, 3] } },
    constants,
  });
  const programs = {
    add,
    update: await engine.compile({
      name: 'update',
      step: steps.update,
      state,
      batch: { rate: { shape: [] } },
      constants,
    }),
  };
  return { engine, state, programs };
}

for (const name of ['onnx', 'reference']) {
  for (const parts of [2, 4]) {
    test(`${name}: ${parts} micro-batches train as the whole batch does`, async (t) => {
      const whole = await trainWhole(name);
      const { engine, state, programs } = await compileParts(name, parts);
      for (const batch of images) {
        const micro = split(batch, parts).map((each) => ({ images: each }));
        t.is((await runAccumulated(programs, micro, rate)).outs.length, parts);
      }
      const { carried, sum, count } = state.read() as HostOf<Accumulating<Model, Weights>> & {
        carried: { weights: Record<string, HostTensor> };
        sum: Record<string, HostTensor>;
      };
      for (const [key, weight] of Object.entries(whole.weights as Record<string, HostTensor>)) {
        const furthest = Math.max(
          ...[...weight.data].map((value, i) => Math.abs(value - carried.weights[key]!.data[i]!)),
        );
        t.true(furthest < 1e-6, `${key} differs by ${furthest}`);
      }
      t.deepEqual([...count.data], [0]);
      t.true(Object.values(sum).every(({ data }) => data.every((value) => value === 0)));
      engine.dispose();
    });
  }
}

type Weight = { readonly w: Tensor };

test('sums, means and counts are those of a calculation by hand', async (t) => {
  const engine = await openEngine();
  const state = engine.state<Accumulating<Weight, Weight>>(
    accumulating<Weight, Weight>({ w: scalar(10) }, { w: scalar(10) }),
  );
  const steps = accumulate<Weight, { x: Tensor }, object, Weight, { seen: Tensor }, { mean: Tensor }>({
    gradients: ({ w }, { x }) => ({ gradients: { w: tf.mul(w, x) }, out: { seen: x } }),
    update: ({ w }, grads) => ({ state: { w: tf.sub(w, grads.w) }, out: { mean: grads.w } }),
  });
  const add = await engine.compile({ name: 'add', step: steps.add, state, batch: { x: { shape: [] } } });
  const apply = await engine.compile({ name: 'update', step: steps.update, state, batch: {} });
  for (const x of [1, 2, 6]) await add.run({ x: scalar(x) });
  const between = state.read() as HostOf<Accumulating<Weight, Weight>>;
  t.deepEqual([between.carried.w.data[0], between.sum.w.data[0], between.count.data[0]], [10, 90, 3]);
  t.is((await apply.run({})).mean.data[0], 30);
  t.is(state.read().carried.w.data[0], -20);
  t.is((await apply.run({})).mean.data[0], 0, 'an update with nothing before it has nothing to use');
  engine.dispose();
});

test('a step without micro-batches is refused, and gradients of another form too', async (t) => {
  const { engine, programs } = await compileParts('onnx', 2);
  const none = await t.throwsAsync(runAccumulated(programs, [], rate), { instanceOf: EngineError });
  const steps = accumulate<Weight, object, object, Weight, object, object>({
    gradients: ({ w }) => ({ gradients: { v: w } as unknown as Weight, out: {} }),
    update: (before) => ({ state: before, out: {} }),
  });
  const compile = (): Promise<Program<object, object>> =>
    engine.compile({
      name: 'add',
      step: steps.add,
      state: engine.state<Accumulating<Weight, Weight>>(
        accumulating<Weight, Weight>({ w: scalar(1) }, { w: scalar(1) }),
      ),
      batch: {},
    });
  const form = await t.throwsAsync(compile(), { instanceOf: EngineError });
  t.snapshot([none.message, form.message.replace(/ \(at .*/, '')]);
});
