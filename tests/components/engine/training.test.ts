import type { Tensor } from '@tensorflow/tfjs-core';
import test from 'ava';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostOf, HostTensor } from '../../../components/engine/types.ts';
import { close } from './support/compare.ts';
import type { Training, Weights } from './support/models.ts';
import { adamW, autoencoder, trainingState, transformer } from './support/models.ts';

interface History {
  readonly losses: readonly number[];
  readonly weights: { readonly [name: string]: HostTensor };
}

type Patches = { readonly patches: Tensor; readonly masked: Tensor; readonly codes: Tensor };

async function trainTransformer(engineName: string, steps: number, threads = 1): Promise<History> {
  const engine = await openEngine({ name: engineName, threads });
  const batches = transformer.batches(steps);
  const state = engine.state<Training>(trainingState(transformer.weights()) as HostOf<Training>);
  const program = await engine.compile<Training, Patches, { loss: Tensor }>({
    name: 'transformer',
    state,
    batch: batches[0],
    step: (before, batch) => {
      const after = adamW(before, (weights) => transformer.loss(weights, batch));
      return { state: after.state, out: { loss: after.loss } };
    },
  });
  const losses: number[] = [];
  for (const batch of batches) losses.push((await program.run(batch)).loss.data[0]);
  const { weights } = state.read() as { weights: History['weights'] };
  engine.dispose();
  return { losses, weights };
}

async function trainAutoencoder(engineName: string, steps: number, threads = 1): Promise<History> {
  const engine = await openEngine({ name: engineName, threads });
  const batches = autoencoder.batches(steps);
  const state = engine.state<Training>(trainingState(autoencoder.weights()) as HostOf<Training>);
  const program = await engine.compile<Training, { images: Tensor }, { loss: Tensor }, { codebook: Tensor }>({
    name: 'autoencoder',
    state,
    batch: batches[0],
    constants: { codebook: autoencoder.codebook() },
    step: (before, { images }, { codebook }) => {
      const after = adamW(before, (weights: Weights) => autoencoder.loss(weights, codebook, images));
      return { state: after.state, out: { loss: after.loss } };
    },
  });
  const losses: number[] = [];
  for (const batch of batches) losses.push((await program.run(batch)).loss.data[0]);
  const { weights } = state.read() as { weights: History['weights'] };
  engine.dispose();
  return { losses, weights };
}

function furthest(a: History, b: History): number {
  const pairs = Object.entries(a.weights).flatMap(([name, { data }]) =>
    [...data].map((value, index) => Math.abs(value - b.weights[name].data[index])),
  );
  return Math.max(...pairs);
}

const trainings = { transformer: trainTransformer, autoencoder: trainAutoencoder };

/** wasm has no gradients of convolutions to the filter. */
const pairs = [
  ['transformer', 'onnx'],
  ['transformer', 'wasm'],
  ['autoencoder', 'onnx'],
] as const;

for (const [name, engine] of pairs) {
  test(`${name}: ten training steps of ${engine} end where the reference engine ends`, async (t) => {
    const train = trainings[name];
    const [compiled, eager] = [await train(engine, 10), await train('reference', 10)];
    compiled.losses.forEach((loss, index) => {
      t.true(
        close(loss, eager.losses[index], { absolute: 1e-5, relative: 1e-5 }),
        `loss ${index}: ${loss}, ${eager.losses[index]}`,
      );
    });
    // Adam divides by the gradient's size: rounding is amplified where gradients are tiny.
    t.true(furthest(compiled, eager) < 1e-3, `weights differ by ${furthest(compiled, eager)}`);
    t.true(compiled.losses.every(Number.isFinite));
  });
}

for (const [name, train] of Object.entries(trainings)) {
  test(`${name}: the same bytes with 1, 2 and 4 threads and from run to run`, async (t) => {
    const first = await train('onnx', 5);
    for (const threads of [1, 2, 4]) {
      const again = await train('onnx', 5, threads);
      t.deepEqual(again.losses, first.losses);
      for (const [path, { data }] of Object.entries(first.weights)) {
        t.true(
          Buffer.from(data.buffer).equals(Buffer.from(again.weights[path].data.buffer)),
          `${path}, ${threads} threads`,
        );
      }
    }
  });
}
