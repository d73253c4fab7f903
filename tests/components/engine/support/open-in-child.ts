/**
 * Opens the engine that argv names, trains the probe with it, and prints what came out as one line of JSON.
 * A process of its own, because packages are looked for in its folder and loaded for good.
 */
import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../../../components/engine/open.ts';
import { probeDifference, trainProbe } from '../../../../components/engine/probe.ts';
import type { Engine } from '../../../../components/engine/types.ts';
import { uniformRows, uniformValues } from '../../../../components/engine/uniform.ts';

async function main(): Promise<object> {
  const reference = await openEngine({ name: 'reference' });
  const expected = await trainProbe(reference);
  const before = tf.getBackend();
  const engine = await openEngine({ name: process.argv[2]!, threads: 2 });
  const { numTensors } = tf.memory();
  const difference = probeDifference(await trainProbe(engine), expected);
  const leaked = tf.memory().numTensors - numTensors;
  // A package that replaces gradients must not change what other engines compute afterwards.
  const others = probeDifference(await trainProbe(await openEngine({ name: 'onnx' })), expected);
  const backend = tf.getBackend() === before;
  // Random numbers are the same on every engine.
  const noise = await sameNoise(engine);
  return { name: engine.name, description: engine.description, difference, leaked, others, backend, noise };
}

async function sameNoise(engine: Engine): Promise<boolean> {
  const words = Int32Array.of(-3, 14, 15);
  const program = await engine.compile<object, { words: tf.Tensor }, { numbers: tf.Tensor }>({
    name: 'noise',
    state: engine.state<object>({}),
    batch: { words: { shape: [3], dtype: 'int32' } },
    step: (nothing, batch) => ({ state: nothing, out: { numbers: uniformRows(batch.words, 3, 10) } }),
  });
  const { numbers } = await program.run({ words: { dtype: 'int32', shape: [3], data: words } });
  const expected = uniformValues(words, { rows: 3, columns: 10 });
  return expected.every((value, index) => value === numbers.data[index]);
}

console.log(
  JSON.stringify(await main().catch((error: Error) => ({ error: error.name, message: error.message }))),
);
