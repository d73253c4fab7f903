import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { exportOnnx } from '../../../components/engine/onnx/export.ts';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostOf, HostTensor, Step } from '../../../components/engine/types.ts';
import { EngineError } from '../../../components/engine/types.ts';
import type { Training } from './support/models.ts';
import { adamW, trainingState, transformer } from './support/models.ts';
import { describeModel } from './support/onnx-file.ts';

type Line = { readonly weights: { readonly w: Tensor; readonly b: Tensor }; readonly moment: Tensor };
type TransformerBatch = { readonly patches: Tensor; readonly masked: Tensor; readonly codes: Tensor };
type Points = { readonly x: Tensor; readonly y: Tensor };

const host = (shape: readonly number[], ...values: number[]): HostTensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
});

const line: HostOf<Line> = {
  weights: { w: host([2, 1], 1, 2), b: host([1], 0.5) },
  moment: host([2, 1], 7, 7),
};

const predict: Step<Line, { x: Tensor }, { y: Tensor }, { shift: Tensor }> = (state, { x }, { shift }) => ({
  state,
  out: {
    y: tf.add(tf.add(tf.matMul(x as Tensor2D, state.weights.w as Tensor2D), state.weights.b), shift),
  },
});

const train: Step<Line, Points, { loss: Tensor }, Record<string, never>> = (state, { x, y }) => {
  const { value, grads } = tf.valueAndGrads((w: Tensor) => {
    const error = tf.sub(tf.add(tf.matMul(x as Tensor2D, w as Tensor2D), state.weights.b), y);
    return tf.mean(tf.square(error)) as Scalar;
  })([state.weights.w]);
  const w = tf.sub(state.weights.w, tf.mul(grads[0]!, 0.5));
  return { state: { ...state, weights: { ...state.weights, w } }, out: { loss: value } };
};

const inference = () =>
  exportOnnx({
    name: 'predict',
    step: predict,
    state: line,
    batch: { x: { shape: [2, 2] } },
    constants: { shift: host([1], 100) },
  });

const training = () =>
  exportOnnx({
    name: 'train',
    step: train,
    state: line,
    batch: { x: { shape: [2, 2] }, y: { shape: [2, 1] } },
  });

const feed = ({ shape, data }: HostTensor) => new OrtTensor('float32', data as Float32Array, [...shape]);

test('an inference model has the state that it uses inside, and computes as by hand', async (t) => {
  const bytes = inference();
  const { opsets, ...described } = describeModel(bytes);
  t.deepEqual(opsets, [['', 21]]);
  t.like(described, {
    irVersion: 10,
    producer: 'peco-exp',
    name: 'predict',
    metadata: { 'peco-exp.state': 'baked' },
    inputs: ['batch/x'],
    outputs: ['out/y'],
  });
  t.deepEqual(
    described.initialisers.filter((name) => name.startsWith('state/')),
    ['state/weights/w', 'state/weights/b'],
    'not the moment, which nothing needs',
  );
  const session = await InferenceSession.create(bytes);
  const out = await session.run({ 'batch/x': feed(host([2, 2], 1, 1, 10, 0)) });
  t.deepEqual([...(out['out/y']!.data as Float32Array)], [1 + 2 + 0.5 + 100, 10 + 0.5 + 100]);
});

test('a training model takes the state in and puts the changed part of it out', async (t) => {
  const bytes = training();
  t.like(describeModel(bytes), {
    metadata: { 'peco-exp.state': 'inputs' },
    inputs: ['state/weights/w', 'state/weights/b', 'state/moment', 'batch/x', 'batch/y'],
    outputs: ['next/weights/w', 'out/loss'],
  });
  const session = await InferenceSession.create(bytes);
  const batch = { x: host([2, 2], 1, 0, 0, 1), y: host([2, 1], 0, 0) };
  const feeds = {
    'state/weights/w': feed(line.weights.w),
    'state/weights/b': feed(line.weights.b),
    'state/moment': feed(line.moment),
    'batch/x': feed(batch.x),
    'batch/y': feed(batch.y),
  };
  const first = await session.run(feeds);
  // Errors are w + b = [1.5, 2.5], loss their mean square, gradient 2 / 2 * error, step 0.5.
  t.is((first['out/loss']!.data as Float32Array)[0], (1.5 ** 2 + 2.5 ** 2) / 2);
  t.deepEqual([...(first['next/weights/w']!.data as Float32Array)], [1 - 0.75, 2 - 1.25]);

  const second = await session.run({ ...feeds, 'state/weights/w': first['next/weights/w']! });
  const engine = await openEngine();
  const state = engine.state<Line>(line);
  const program = await engine.compile<Line, Points, { loss: Tensor }>({
    name: 'train',
    step: train,
    state,
    batch,
  });
  await program.run(batch);
  const { loss } = await program.run(batch);
  t.deepEqual([...(second['out/loss']!.data as Float32Array)], [...loss.data]);
  t.deepEqual(second['next/weights/w']!.data, state.read().weights.w.data);
  engine.dispose();
});

test('the state of any engine can be exported, as it is at the time', async (t) => {
  const engine = await openEngine({ name: 'reference' });
  const state = engine.state<Line>(line);
  const program = await engine.compile<Line, Points, { loss: Tensor }>({
    name: 'train',
    step: train,
    state,
    batch: { x: { shape: [2, 2] }, y: { shape: [2, 1] } },
  });
  await program.run({ x: host([2, 2], 1, 0, 0, 1), y: host([2, 1], 0, 0) });
  const bytes = exportOnnx({
    name: 'predict',
    step: (given: Line, { x }: { x: Tensor }) => ({
      state: given,
      out: { y: tf.matMul(x as Tensor2D, given.weights.w as Tensor2D) },
    }),
    state: state.read(),
    batch: { x: { shape: [1, 2] } },
  });
  engine.dispose();
  const session = await InferenceSession.create(bytes);
  const out = await session.run({ 'batch/x': feed(host([1, 2], 4, 8)) });
  t.deepEqual([...(out['out/y']!.data as Float32Array)], [4 * 0.25 + 8 * 0.75]);
});

test('inputs that a step does not look at stay inputs, and a lone leaf has an empty path', async (t) => {
  const bytes = exportOnnx({
    name: 'lone',
    step: (state: Tensor, { x }: Points) => ({ state, out: tf.mul(x, state) }),
    state: host([], 3),
    batch: { x: { shape: [2] }, y: { shape: [5], dtype: 'int32' } },
    bakeState: false,
  });
  t.like(describeModel(bytes), { inputs: ['state/', 'batch/x', 'batch/y'], outputs: ['out/'] });
  const session = await InferenceSession.create(bytes);
  const out = await session.run({
    'state/': feed(host([], 3)),
    'batch/x': feed(host([2], 1, 2)),
    'batch/y': new OrtTensor('int32', new Int32Array(5), [5]),
  });
  t.deepEqual([...(out['out/']!.data as Float32Array)], [3, 6]);
});

test('a state that is an output, a state that is swapped and a state that is kept are distinguished', (t) => {
  const bytes = exportOnnx({
    name: 'swap',
    step: ({ a, b }: { a: Tensor; b: Tensor }) => ({ state: { a: b, b: a }, out: { a } }),
    state: { a: host([1], 0), b: host([1], 0) },
    batch: {},
  });
  t.deepEqual(describeModel(bytes).outputs, ['next/a', 'next/b', 'out/a']);
});

test('a training step of a transformer needs no operators of ONNX Runtime, and trains the same', async (t) => {
  const initial = trainingState(transformer.weights()) as HostOf<Training>;
  const [batch] = transformer.batches(1);
  const step = (before: Training, given: TransformerBatch) => {
    const after = adamW(before, (weights) => transformer.loss(weights, given));
    return { state: after.state, out: { loss: after.loss } };
  };
  const bytes = exportOnnx({ name: 'transformer', step, state: initial, batch: batch! });
  const { opsets, operators, inputs, outputs } = describeModel(bytes);
  t.deepEqual(opsets, [['', 21]]);
  t.false(operators.includes('FusedMatMul'));

  const values = new Map<string, HostTensor>();
  const collect = (tree: object, path: string): void => {
    for (const [name, node] of Object.entries(tree as Record<string, HostTensor | object>)) {
      if ('data' in node) values.set(`${path}/${name}`, node as HostTensor);
      else collect(node, `${path}/${name}`);
    }
  };
  collect(initial, 'state');
  collect(batch!, 'batch');
  const feeds = Object.fromEntries(
    inputs.map((name) => {
      const { dtype, data, shape } = values.get(name)!;
      return [name, new OrtTensor(dtype, data as Float32Array, [...shape])];
    }),
  );
  const session = await InferenceSession.create(bytes);
  const results = await session.run(feeds);

  const engine = await openEngine({ name: 'reference' });
  const state = engine.state<Training>(initial);
  const program = await engine.compile<Training, TransformerBatch, { loss: Tensor }>({
    name: 'transformer',
    step,
    state,
    batch: batch!,
  });
  values.clear();
  collect({ out: await program.run(batch!), next: state.read() }, '');
  t.is(outputs.length, 1 + 3 * Object.keys(transformer.weights()).length + 1);
  for (const name of outputs) {
    const expected = values.get(`/${name}`)!.data;
    const actual = results[name]!.data as Float32Array;
    t.true(
      actual.every((value, i) => Math.abs(value - expected[i]!) < 1e-4),
      name,
    );
  }
  engine.dispose();
});

test('what cannot be exported is said', (t) => {
  const messages = [
    () => exportOnnx({ name: 'train', step: train, state: line, batch: training0, bakeState: true }),
    () => exportOnnx({ name: 'train', step: train, state: line, batch: { x: training0.x } as never }),
    () => exportOnnx({ name: 'train', step: train, state: { weights: [1] } as never, batch: training0 }),
  ].map((work) => t.throws(work, { instanceOf: EngineError })?.message.replace(/:\d+\)$/, ':LINE)'));
  t.snapshot(messages);
});

const training0 = { x: { shape: [2, 2] }, y: { shape: [2, 1] } } as const;

test('constants above the size that a model can have are refused before they are written', async (t) => {
  // Zeros but one: the system gives the memory only where it is written to.
  const data = new Float32Array(2 ** 29);
  data[0] = 1;
  const huge: HostTensor = { dtype: 'float32', shape: [2 ** 29], data };
  const step = (state: object, { x }: { x: Tensor }, { huge: h }: { huge: Tensor }) => ({
    state,
    out: { y: tf.add(h, x) },
  });
  const engine = await openEngine();
  const error = await t.throwsAsync(
    engine.compile({
      name: 'huge',
      step,
      state: engine.state<object>({}),
      batch: { x: { shape: [1] } },
      constants: { huge },
    }),
    { instanceOf: EngineError },
  );
  t.snapshot(error.message);
});
