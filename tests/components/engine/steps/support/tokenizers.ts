import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { HostOf, HostTensor } from '../../../../../components/engine/types.ts';
import { hostScalar, hostTensor } from '../../../../../components/nn/tree.ts';
import type { FeatureNetwork } from '../../../../../components/perceptual/types.ts';
import { type VggConfig, vgg } from '../../../../../components/perceptual/vgg/config.ts';
import { load as loadVgg } from '../../../../../components/perceptual/vgg/load.ts';
import { initVgg } from '../../../../../components/perceptual/vgg/model.ts';
import { applyEncoder } from '../../../../../components/tokenizer/autoencoder.ts';
import { type Codebook, unitRowsOf } from '../../../../../components/tokenizer/codebook.ts';
import { type DalleConfig, dalle } from '../../../../../components/tokenizer/dalle/config.ts';
import { load as loadDalle } from '../../../../../components/tokenizer/dalle/load.ts';
import { type DalleWeights, dalleLogits } from '../../../../../components/tokenizer/dalle/model.ts';
import { dalleObjective, scheduleAt } from '../../../../../components/tokenizer/dalle/training.ts';
import { type DvaeConfig, dvae } from '../../../../../components/tokenizer/dvae/config.ts';
import { load as loadDvae } from '../../../../../components/tokenizer/dvae/load.ts';
import { dvaeObjective } from '../../../../../components/tokenizer/dvae/model.ts';
import { reconstructionLoss } from '../../../../../components/tokenizer/reconstruction.ts';
import type { Tokenizer, TokenizerWeights } from '../../../../../components/tokenizer/tokenizer.ts';
import { type VqvaeConfig, vqvae } from '../../../../../components/tokenizer/vqvae/config.ts';
import { load as loadVqvae } from '../../../../../components/tokenizer/vqvae/load.ts';
import { vqvaeObjective } from '../../../../../components/tokenizer/vqvae/model.ts';
import { planTraining } from '../../../../../components/training/recipe.ts';
import { cosine } from '../../../../../components/training/schedule.ts';
import { saveTree } from '../../../../../components/weights/safetensors.ts';
import type { Component } from '../../../../../framework/stage/component.ts';
import type { StageInput } from '../../../../../framework/stage/contract.ts';
import { leafInput } from '../../../../support/stage-input.ts';
import { readSpec, type Size, type Spec } from './fixture.ts';
import { between, permutation, seededWeights } from './seeded.ts';
import { compute, trainingOf } from './train.ts';

export interface VqvaeSpec extends Spec<Parameters<typeof vqvae>[0]> {
  /** Of the perceptual loss; absent: there is none. */
  readonly network?: Parameters<typeof vgg>[0];
}

/** VQ-VAE with a codebook of moving averages and a perceptual loss on a frozen VGG. */
export async function vqvaeTraining(size: Size) {
  return { size, ...(await vqvaeTrainingOf(readSpec<VqvaeSpec>(size, 'vqvae'))) };
}

export async function vqvaeTrainingOf({ seed, imageSize, network, config: input }: VqvaeSpec) {
  const frozen = network && vgg(network);
  const { loss } = input;
  const component = vqvae(
    frozen ? { ...input, loss: { ...loss, perceptual: { ...loss!.perceptual!, network: frozen } } } : input,
  );
  const config = component.config as VqvaeConfig;
  const inputs = frozen ? { network: { ...leafInput(frozen), load: () => frozenVgg(seed, frozen) } } : {};
  const reconstruction = await reconstructionLoss({ inputs }, config);
  const objective = vqvaeObjective(config, reconstruction, 0);
  const parameters = seededWeights(seed, objective.init());
  const codebook = firstCodebook(seed, config);
  const batch = (step: number) => ({
    images: imagesOf(seed, imageSize, config, step),
    candidates: candidatesOf(seed, config, imageSize, step),
  });
  const training = trainingOf('vqvae', objective, config, { parameters, rest: codebook }, batch);
  const weights = { ...parameters, codebook: codebook.vectors };
  const { images } = batch(0);
  return {
    training,
    config,
    forward: (engine: string) => forward(engine, component, loadVqvae, weights, images, encodeSmall),
  };
}

/** Discrete VAE with Gumbel noise from the batch. */
export async function dvaeTraining(size: Size) {
  const { seed, imageSize, config: input } = readSpec<Spec<Parameters<typeof dvae>[0]>>(size, 'dvae');
  const component = dvae(input);
  const config = component.config as DvaeConfig;
  const reconstruction = await reconstructionLoss({ inputs: {} }, config);
  // Noise is in the batch, as PyTorch has it.
  const objective = dvaeObjective(config, reconstruction, 0, (noise) => noise);
  const parameters = seededWeights(seed, objective.init());
  const { temperature, codebook } = config;
  const { steps } = planTraining(config, 0);
  const tokens = tokensOf(config, imageSize);
  const batch = (step: number) => ({
    images: imagesOf(seed, imageSize, config, step),
    noise: between(`${seed}/noise/${step}`, [tokens, codebook.size], 0, 1),
    temperature: hostScalar(cosine(temperature.from, temperature.to, { step, steps })),
  });
  const training = trainingOf('dvae', objective, config, { parameters }, batch);
  const { images } = batch(0);
  return {
    size,
    training,
    config,
    forward: (engine: string) => forward(engine, component, loadDvae, parameters, images, encodeSmall),
  };
}

/** DALL-E's dVAE: temperature and weight of the divergence change on the way. */
export async function dalleTraining(size: Size) {
  const { seed, imageSize, config: input } = readSpec<Spec<Parameters<typeof dalle>[0]>>(size, 'dalle');
  const component = dalle(input);
  const config = component.config as DalleConfig;
  const objective = dalleObjective(config, 0, (noise) => noise);
  const parameters = seededWeights(seed, objective.init());
  const { steps } = planTraining(config, 0);
  const batch = (step: number) => {
    const { temperature, divergenceWeight } = scheduleAt(config, step, steps);
    return {
      images: imagesOf(seed, imageSize, config, step),
      noise: between(`${seed}/noise/${step}`, [tokensOf(config, imageSize), config.codebook.size], 0, 1),
      temperature: hostScalar(temperature),
      divergenceWeight: hostScalar(divergenceWeight),
    };
  };
  // The moving average of the weights is no part of the fixture.
  const training = trainingOf('dalle', objective, { ...config, average: undefined }, { parameters }, batch);
  const { images } = batch(0);
  const encode = (weights: DalleWeights<tf.Tensor>, given: tf.Tensor) => dalleLogits(weights, given, config);
  return {
    size,
    training,
    config,
    forward: (engine: string) => forward(engine, component, loadDalle, parameters, images, encode),
  };
}

/** What the encoder gives, the codes, and the image decoded from them: by way of files, as other stages load them. */
async function forward<W>(
  engine: string,
  component: Component,
  load: (input: StageInput<never>) => Promise<Tokenizer>,
  weights: HostOf<W>,
  images: HostTensor,
  encode: (weights: W, images: tf.Tensor) => tf.Tensor,
): Promise<{ readonly [name: string]: HostTensor }> {
  const tokenizer = await inFolder('tokenizer.safetensors', weights, (dir) =>
    load(leafInput(component, dir)),
  );
  return compute<{ images: tf.Tensor }, { [name: string]: tf.Tensor }, W>(
    { name: engine },
    tokenizer.weights as unknown as HostOf<W>,
    { images } as HostOf<{ images: tf.Tensor }>,
    (frozen, given) => {
      const tree = frozen as Parameters<Tokenizer['encode']>[0];
      const codes = tokenizer.encode(tree, given.images);
      return {
        encoded: encode(frozen, given.images),
        codes: tf.reshape(codes, [-1]),
        reconstruction: tokenizer.decode(tree, codes),
      };
    },
  ) as Promise<{ readonly [name: string]: HostTensor }>;
}

function encodeSmall({ encoder }: TokenizerWeights<tf.Tensor>, images: tf.Tensor): tf.Tensor {
  return applyEncoder(encoder, images);
}

function frozenVgg(seed: string, component: Component): Promise<FeatureNetwork> {
  const weights = seededWeights(`${seed}/network`, initVgg(component.config as unknown as VggConfig, 1, 0));
  return inFolder('vgg.safetensors', weights, (dir) => loadVgg(leafInput(component, dir)));
}

async function inFolder<T>(file: string, weights: unknown, load: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(path.join(tmpdir(), 'peco-steps-'));
  try {
    saveTree(path.join(dir, file), weights);
    return await load(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

interface Sizes {
  readonly batchSize: number;
  readonly stride: number;
}

const tokensOf = ({ batchSize, stride }: Sizes, imageSize: number) => batchSize * (imageSize / stride) ** 2;

function imagesOf(seed: string, size: number, { batchSize }: Sizes, step: number): HostTensor {
  return between(`${seed}/images/${step}`, [batchSize, size, size, 3], 0, 1);
}

/** Counts that some codes fall out of, so that codes are revived on the way. */
function firstCodebook(
  seed: string,
  { codebook: { size, dim, normalise } }: VqvaeConfig,
): Codebook<HostTensor> {
  const { vectors } = seededWeights(seed, { vectors: hostTensor([size, dim]) });
  const counts = between(`${seed}/counts`, [size], 0.5, 2.5);
  if (normalise) return { vectors: unitRowsOf(vectors), counts };
  const sums = Float32Array.from(vectors.data, (value, i) => value * counts.data[Math.floor(i / dim)]);
  return { vectors, counts, sums: hostTensor([size, dim], sums) };
}

/** No row twice while there are enough: two codes of the same value would leave the choice between them to rounding. */
function candidatesOf(seed: string, config: VqvaeConfig, imageSize: number, step: number): HostTensor {
  const order = permutation(`${seed}/candidates/${step}`, tokensOf(config, imageSize));
  const { size } = config.codebook;
  return hostTensor(
    [size],
    Int32Array.from({ length: size }, (_, i) => order[i % order.length]),
  );
}
