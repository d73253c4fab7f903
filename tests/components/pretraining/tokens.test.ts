import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { vit } from '../../../components/backbone/config.ts';
import { type View, viewSchema } from '../../../components/data/views/view.ts';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostOf, HostTensor } from '../../../components/engine/types.ts';
import { random } from '../../../components/nn/random.ts';
import { hostTensor, type TreeOf } from '../../../components/nn/tree.ts';
import { batchMasks } from '../../../components/pretraining/masking.ts';
import {
  type MaskedImageModellingConfig,
  maskedImageModelling,
} from '../../../components/pretraining/mim/config.ts';
import { type MimBatch, maskedCodes, mimObjective } from '../../../components/pretraining/mim/model.ts';
import { run } from '../../../components/pretraining/mim/stage.ts';
import { applyEncoder } from '../../../components/tokenizer/autoencoder.ts';
import { codesOfTokens } from '../../../components/tokenizer/codebook.ts';
import { codesOf } from '../../../components/tokenizer/codes.ts';
import type { Tokenizer, TokenizerWeights } from '../../../components/tokenizer/tokenizer.ts';
import { vqvae } from '../../../components/tokenizer/vqvae/config.ts';
import { openImages } from '../../../components/training/images.ts';
import { initialState, trainingStep } from '../../../components/training/objective.ts';
import { planTraining } from '../../../components/training/recipe.ts';
import { stepScalars } from '../../../components/training/schedule.ts';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import type { JsonObject } from '../../../framework/stage/json.ts';
import { imagesOf } from '../../support/images.ts';
import { createProject } from '../../support/project.ts';
import { attemptStage } from '../../support/stage-runner.ts';
import { uniforms } from '../engine/steps/support/seeded.ts';
import { inputsOf } from '../support/trainings.ts';
import { untrainedVqvae } from '../support/vqvae.ts';

const [size, count, stride] = [24, 12, 8];
const dataset = imagesOf(
  Uint8Array.from(uniforms('tokens', count * size * size * 3), (value) => 256 * value),
  { size },
);
const { config } = vqvae({ width: 16, residualBlocks: 1, codebook: { size: 32, dim: 4 }, steps: 1 });
const weights = untrainedVqvae(config);
const tokenizer = {
  ...{
    vocabulary: 32,
    stride,
    codebook: weights.codebook,
    weights: weights as unknown as TreeOf<HostTensor>,
  },
  encode: (tree: TreeOf<tf.Tensor>, images: tf.Tensor) => {
    const { encoder, codebook } = tree as unknown as TokenizerWeights<tf.Tensor>;
    const [batch, height, width] = images.shape as [number, number, number];
    const tokens = tf.reshape(applyEncoder(encoder, images), [-1, 4]);
    const codes = codesOfTokens(tokens, codebook);
    return tf.reshape(codes, [batch, (height * width) / stride ** 2]);
  },
} as Tokenizer;
const mim = maskedImageModelling({
  ...{ backbone: vit({ dim: 8, depth: 1, heads: 1, patch: stride }), steps: 2, batchSize: 4 },
}).config as MaskedImageModellingConfig;
const context = { seed: 0, engine: { name: 'onnx', threads: 1 } };

/** Batches of a pretraining with their masks. */
async function batchesOf(view: View): Promise<HostOf<MimBatch<tf.Tensor>>[]> {
  const plan = planTraining(mim, count);
  const options = { purpose: 'pretraining', view, pictures: { patches: {} } };
  const loader = openImages(context, dataset, plan, options);
  const side = size / stride;
  const batches = [];
  for (let step = 0; step < plan.steps; step++) {
    const { patches } = (await loader.batch(step)).pictures;
    const masks = batchMasks((image) => random(0, step, image), 4, { side, count: 3, minPatches: 1 });
    batches.push({
      patches,
      mask: hostTensor([4, side ** 2, 1], masks.mask),
      rows: hostTensor([12], masks.rows),
      weights: hostTensor([12], masks.weights),
    });
  }
  await loader.close();
  return batches;
}

const views = {
  'mirrored at random': viewSchema.parse({}),
  'cropped at random': viewSchema.parse({ crop: { kind: 'random-resized', scale: [0.3, 1] }, size }),
};
for (const [name, view] of Object.entries(views)) {
  test(`images ${name}: targets are the codes of what the backbone sees`, async (t) => {
    const batches = await batchesOf(view);
    const engine = await openEngine({ name: 'onnx' });
    const program = await engine.compile<
      object,
      MimBatch<tf.Tensor>,
      { codes: tf.Tensor },
      TreeOf<tf.Tensor>
    >({
      name: 'targets',
      state: engine.state<object>({}),
      batch: batches[0] as never,
      constants: tokenizer.weights as never,
      step: (nothing, batch, constants) => ({
        state: nothing,
        out: { codes: maskedCodes(tokenizer, constants, batch) },
      }),
    });
    for (const batch of batches) {
      const { codes } = await program.run(batch);
      // The same pictures as data of their own.
      const bytes = batch.patches.data as Uint8Array;
      const options = { view: viewSchema.parse({}), workers: 1, signal: new AbortController().signal };
      const still = { crop: { kind: 'centre', share: 1 }, interpolation: 'bicubic' } as const;
      const all = await codesOf(engine, tokenizer, imagesOf(bytes, { size }), { ...options, view: still });
      t.deepEqual(
        [...codes.data],
        Array.from(batch.rows.data, (row) => all[row]),
      );
      t.true(new Set(codes.data).size > 1);
    }
    engine.dispose();
  });
}

test('a step encodes the pictures once, without gradient, and moves the backbone alone', async (t) => {
  const [batch] = await batchesOf(viewSchema.parse({}));
  const engine = await openEngine({ name: 'onnx' });
  let calls = 0;
  const encode: Tokenizer['encode'] = (...given) => {
    calls++;
    return tokenizer.encode(...given);
  };
  const objective = mimObjective(mim, { ...tokenizer, encode }, { imageSize: size, seed: 0 });
  const first = initialState(objective, mim);
  const state = engine.state(first as never);
  const given = { batch, stepScalars: stepScalars(0, 0.1) };
  const program = await engine.compile({
    ...{ name: 'mim', state, step: trainingStep(objective, mim), batch: given },
    constants: objective.constants,
  } as never);
  t.is(calls, 1);
  const out = (await program.run(given as never)) as { loss: HostTensor };
  t.true(out.loss.data[0]! > 0);
  t.deepEqual(Object.keys(state.read() as object), ['parameters', 'moments']);
  engine.dispose();
});

test('a tokenizer whose numbers overflow gives no targets: the loss is no number', async (t) => {
  const [batch] = await batchesOf(viewSchema.parse({}));
  const engine = await openEngine({ name: 'onnx' });
  const huge = { ...weights, codebook: hostTensor([32, 4], new Float32Array(128).fill(3e38)) };
  const broken = { ...tokenizer, weights: huge as unknown as TreeOf<HostTensor> };
  const objective = mimObjective(mim, broken, { imageSize: size, seed: 0 });
  const given = { batch, stepScalars: stepScalars(0, 0.1) };
  const program = await engine.compile({
    ...{ name: 'mim', step: trainingStep(objective, mim), batch: given, constants: objective.constants },
    state: engine.state(initialState(objective, mim) as never),
  } as never);
  t.is(((await program.run(given as never)) as { loss: HostTensor }).loss.data[0], Number.NaN);
  t.regex(objective.advice!, /the tokenizer's weights are too large for float32/);
  engine.dispose();
});

test('the tokenizer may see the same crop in another size, one token for each patch', async (t) => {
  const { dir } = createProject(t, {});
  const { train, tokenizer: frozen } = inputsOf(dir);
  const small = (tokens: number) =>
    maskedImageModelling({
      ...{ steps: 2, batchSize: 4, backbone: vit({ dim: 8, depth: 1, heads: 1, patch: 16 }) },
      view: { crop: { kind: 'random-resized' }, size: 32 },
      // Two patches a side; the stride is 8.
      tokens: { size: tokens, interpolation: 'lanczos' },
    });
  const facts = {
    train: { name: 'data.train', facts: { size: null, images: 24 } },
    tokenizer: { name: 'the tokenizer "x"', facts: { stride: 8 } },
  };
  t.deepEqual(small(16).expects!(facts), []);
  t.deepEqual(small(32).expects!(facts), [
    {
      path: ['tokens', 'size'],
      message: 'expected 16',
      hint: 'a patch is a token: 2 of them a side, and the stride of the tokenizer "x" is 8',
    },
  ]);
  const pretrain = (config: JsonObject) =>
    attemptStage(run as unknown as StageFunction<never>, {
      ...{ dir, name: 'crops', config, inputs: { train: train!, tokenizer: frozen! } },
    });
  const { metrics, files } = await pretrain(small(16).config);
  t.true(metrics.loss! > 0);
  t.regex(Buffer.from(files['backbone.json']!, 'hex').toString(), /"imageSize": 32/);
  await t.throwsAsync(pretrain(small(32).config), {
    message: /^tokens\.size is 32, but 2 patches a side need 16/,
  });
  const odd = { ...small(16).config, view: viewSchema.parse({ size: 40 }) };
  await t.throwsAsync(pretrain(odd as unknown as JsonObject), {
    message: 'backbone.patch is 16, but images have 40 pixels a side',
  });
});

test('a tokenizer whose codes are not one a patch, or not of its vocabulary, is an error', async (t) => {
  const [batch] = await batchesOf(viewSchema.parse({}));
  const engine = await openEngine({ name: 'onnx' });
  const lossOf = async (encode: Tokenizer['encode']): Promise<number> => {
    const objective = mimObjective(mim, { ...tokenizer, encode }, { imageSize: size, seed: 0 });
    const given = { batch, stepScalars: stepScalars(0, 0.1) };
    const program = await engine.compile({
      ...{ name: 'mim', step: trainingStep(objective, mim), batch: given, constants: objective.constants },
      state: engine.state(initialState(objective, mim) as never),
    } as never);
    const out = (await program.run(given as never)) as { loss: HostTensor };
    return out.loss.data[0]!;
  };
  t.true(Number.isFinite(await lossOf(tokenizer.encode)));
  const beyond: Tokenizer['encode'] = (...given) => tf.add(tokenizer.encode(...given), tokenizer.vocabulary);
  t.true(Number.isNaN(await lossOf(beyond)));
  const fewer: Tokenizer['encode'] = (...given) => tf.slice(tokenizer.encode(...given), [0, 0], [4, 3]);
  await t.throwsAsync(lossOf(fewer), { message: /gives 12 codes for \d+ patches of 4 images/ });
  engine.dispose();
});

test("without a size, the tokenizer's picture has a token for each patch", async (t) => {
  const project = createProject(t, {});
  const inputs = inputsOf(project.dir);
  const wide = vit({ dim: 8, depth: 1, heads: 1, patch: 16 });
  const options = { backbone: wide, steps: 1, batchSize: 4, view: { size: 48 } };
  const outcomes: Awaited<ReturnType<typeof attemptStage>>[] = [];
  // Nine patches of 16 pixels; the tokenizer's stride is 8.
  for (const tokens of [{}, { size: 24 }]) {
    const { config } = maskedImageModelling({ ...options, tokens });
    const name = String(outcomes.length);
    outcomes.push(
      await attemptStage(run as unknown as StageFunction, {
        ...{ dir: project.dir, name, inputs, config: config as unknown as JsonObject },
      }),
    );
  }
  const [derived, given] = outcomes;
  t.is(derived!.end, 'done');
  t.true(Object.keys(derived!.files).includes('backbone.safetensors'));
  t.deepEqual(derived!.files, given!.files);
});
