import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostTensor } from '../../../components/engine/types.ts';
import { refusesLateMisuse, refusesMisuse } from './support/misuse.ts';
import type { W, X } from './support/small.ts';
import { engineNames, zeros } from './support/small.ts';

for (const name of engineNames) refusesMisuse(name);

refusesLateMisuse('onnx');

test('constants that are changed after compiling change nothing', async (t) => {
  for (const name of engineNames) {
    const engine = await openEngine({ name });
    const factor: HostTensor = { dtype: 'float32', shape: [2], data: Float32Array.of(2, 3) };
    const program = await engine.compile<W, X, { y: Tensor }, { factor: Tensor }>({
      name: 'scale',
      state: engine.state<W>({ w: zeros(2) }),
      batch: { x: { shape: [1, 2] } },
      constants: { factor },
      step: (state, { x }, constants) => ({ state, out: { y: tf.mul(x, constants.factor) } }),
    });
    factor.data.fill(9);
    const { y } = await program.run({
      x: { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, 1) },
    });
    t.deepEqual([...y.data], [2, 3]);
    engine.dispose();
  }
});
