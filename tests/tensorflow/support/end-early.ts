import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../../components/engine/open.ts';

/** A process that computes nothing, or has a step under way: it ends by itself, by process.exit, or gets a signal. */
const [, , how] = process.argv;
const engine = await openEngine({ name: 'tensorflow' });
if (how === 'unused') {
  console.log('unused');
  engine.dispose();
  process.exit();
}
const state = engine.state<{ n: Tensor }>({ n: { dtype: 'float32', shape: [], data: Float32Array.of(1) } });
const size = 512;
const program = await engine.compile<{ n: Tensor }, { x: Tensor }, { y: Tensor }>({
  name: 'long',
  state,
  batch: { x: { shape: [size, size] } },
  step: ({ n }, { x }) => {
    let y = x;
    for (let index = 0; index < 400; index++) y = tf.matMul(y as tf.Tensor2D, x as tf.Tensor2D);
    return { state: { n: tf.add(n, 1) }, out: { y: tf.sum(y) } };
  },
});
const said: string[] = [];
process.on('SIGTERM', () => said.push('SIGTERM during a step, then'));
const running = program.run({
  x: { dtype: 'float32', shape: [size, size], data: new Float32Array(size * size).fill(1e-3) },
});
// Once the step is under way.
setTimeout(() => {
  if (how === 'signal') process.kill(process.pid, 'SIGTERM');
  if (how !== 'exit') return;
  console.log('exit during a step');
  process.exit(3);
}, 5);
await running;
console.log([...said, `step done, ${state.read().n.data[0]}`].join(' '));
