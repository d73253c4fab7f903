/**
 * Opens the engine that argv names, trains the probe with it, and prints what came out as one line of JSON.
 * A process of its own, because packages are looked for in its folder and loaded for good.
 */
import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../../../components/engine/open.ts';
import { probeDifference, trainProbe } from '../../../../components/engine/probe.ts';

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
  return { name: engine.name, description: engine.description, difference, leaked, others, backend };
}

console.log(
  JSON.stringify(await main().catch((error: Error) => ({ error: error.name, message: error.message }))),
);
