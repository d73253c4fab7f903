import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../../components/engine/open.ts';
import { random } from '../../../components/nn/random.ts';
import { hostTensor } from '../../../components/nn/tree.ts';

const size = 2048;
const repetitions = 12;

/** The machine's matrix product peak in GFLOP/s: the fastest of some 2048 x 2048 products by ONNX Runtime. */
export async function matmulPeak(threads: number): Promise<number> {
  const engine = await openEngine({ name: 'onnx', threads });
  const state = engine.state<{ x: tf.Tensor2D }>({ x: matrix('x') });
  const program = await engine.compile<{ x: tf.Tensor2D }, { y: tf.Tensor2D }, { z: tf.Scalar }>({
    name: 'peak',
    state,
    batch: { y: { shape: [size, size] } },
    step: ({ x }, { y }) => ({ state: { x: tf.matMul(x, y) }, out: { z: tf.scalar(0) } }),
  });
  const y = matrix('y');
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < repetitions; i++) {
    state.write({ x: matrix('x') });
    const before = performance.now();
    await program.run({ y });
    best = Math.min(best, performance.now() - before);
  }
  return (2 * size ** 3) / best / 1e6;
}

function matrix(name: string) {
  return hostTensor([size, size], random(3, name).fillUniform(new Float32Array(size * size)));
}
