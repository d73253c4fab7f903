import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { exportOnnx } from '../../../components/engine/onnx/export.ts';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostTensor } from '../../../components/engine/types.ts';
import { decode, describeModel, messages } from './support/onnx-file.ts';
import { engineNames, messageOf } from './support/small.ts';

type Bytes = { readonly x: Tensor };

const values = Uint8Array.of(0, 1, 127, 128, 254, 255);
const x: HostTensor = { dtype: 'uint8', shape: [2, 3], data: values };

for (const name of engineNames) {
  test(`${name}: a step has the bytes of a batch as whole numbers, which do not wrap`, async (t) => {
    const engine = await openEngine({ name });
    const program = await engine.compile<object, Bytes, { same: Tensor; sum: Tensor; half: Tensor }>({
      name: 'bytes',
      state: engine.state<object>({}),
      batch: { x: { dtype: 'uint8', shape: [2, 3] } },
      step: (state, { x }) => ({
        state,
        out: {
          same: x,
          sum: tf.sub(tf.add(x, x), tf.scalar(1, 'int32')),
          half: tf.div(tf.cast(x, 'float32'), 2),
        },
      }),
    });
    const { same, sum, half } = await program.run({ x });
    t.deepEqual([same.dtype, [...same.data]], ['int32', [...values]]);
    t.deepEqual([sum.dtype, [...sum.data]], ['int32', [-1, 1, 253, 255, 507, 509]]);
    t.deepEqual([...half.data], [0, 0.5, 63.5, 64, 127, 127.5]);
    engine.dispose();
  });

  test(`${name}: bytes are for batches`, async (t) => {
    const engine = await openEngine({ name });
    const state = engine.state<object>({});
    const step = (_: object, { x }: Bytes) => ({ state: {}, out: { x } });
    const program = await engine.compile<object, Bytes, Bytes>({
      ...{ name: 'bytes', state, step, batch: { x: { dtype: 'uint8', shape: [2, 3] } } },
    });
    t.snapshot([
      await messageOf(t, () => engine.state<Bytes>({ x })),
      await messageOf(t, () =>
        engine.compile<object, Bytes, Bytes, Bytes>({
          ...{ name: 'bytes', state, step, batch: { x: { shape: [1] } }, constants: { x } },
        }),
      ),
      await messageOf(t, () =>
        program.run({ x: { dtype: 'uint8', shape: [2, 3], data: new Float32Array(6) } }),
      ),
      await messageOf(t, () => program.run({ x: { dtype: 'bool', shape: [2, 3], data: new Uint8Array(6) } })),
    ]);
    engine.dispose();
  });
}

test('a compiled model takes bytes in, and makes float32 of them in one pass', (t) => {
  const bytes = exportOnnx<object, Bytes, { y: Tensor }>({
    name: 'bytes',
    state: {},
    batch: { x: { dtype: 'uint8', shape: [2, 3] } },
    step: (state, { x }) => ({ state, out: { y: tf.div(tf.cast(x, 'float32'), 255) } }),
  });
  const { inputs, operators } = describeModel(bytes);
  t.deepEqual([inputs, operators], [['batch/x'], ['Cast', 'Div']]);
  const [graph] = messages(decode(bytes), 7);
  const [type] = messages(messages(graph!, 11)[0]!, 2);
  // ONNX's number of uint8.
  t.is(messages(type!, 1)[0]!.get(1)![0], 2);
});
