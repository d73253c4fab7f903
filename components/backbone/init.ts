import type { HostTensor } from '../engine/types.ts';
import { constant, normal, truncatedNormal, zeros } from '../nn/init.ts';
import { type Affine, initDense, initNorm } from '../nn/layers.ts';
import type { Random } from '../nn/random.ts';
import type { VitConfig } from './config.ts';
import { hiddenOf, relativeRows } from './sizes.ts';
import type { Block, QueryKeyValue, Vit } from './vit.ts';

/**
 * Weights as BEiT's pretraining starts them: normal numbers of deviation 0.02 (`initDeviation`), cut at one deviation; the last matrix of
 * each branch of block l (from 1) divided by sqrt(2 l); biases and tables of relative positions 0 (microsoft/unilm,
 * beit/modeling_pretrain.py, `fix_init_weight`).
 */
export function initVit(random: Random, config: VitConfig, imageSize: number): Vit<HostTensor> {
  const { dim, depth, heads, patch, positions, initDeviation } = config;
  const side = imageSize / patch;
  return {
    patch: { weight: truncatedNormal(random, initDeviation, [patch * patch * 3, dim]), bias: zeros(dim) },
    classToken: truncatedNormal(random, initDeviation, [1, 1, dim]),
    ...(positions === 'absolute'
      ? { positions: truncatedNormal(random, initDeviation, [1, side ** 2 + 1, dim]) }
      : {}),
    ...(positions === 'relative' ? { relativePositions: zeros(relativeRows(side), heads) } : {}),
    blocks: Object.fromEntries(
      Array.from({ length: depth }, (_, i) => [String(i), initBlock(random, config, i + 1)]),
    ),
    norm: initNorm(dim),
  };
}

/** @param layer counted from 1 */
function initBlock(random: Random, config: VitConfig, layer: number): Block<HostTensor> {
  const { dim, layerScaleInit, initDeviation } = config;
  const hidden = hiddenOf(config);
  const shrunk = (inputs: number): Affine<HostTensor> =>
    initDense(random, inputs, dim, initDeviation / Math.sqrt(2 * layer));
  const qkv: QueryKeyValue<HostTensor> = {
    weight: truncatedNormal(random, initDeviation, [dim, 3 * dim]),
    queryBias: zeros(dim),
    ...(config.keyBias ? { keyBias: zeros(dim) } : {}),
    valueBias: zeros(dim),
  };
  const scales = { scale1: constant(layerScaleInit, dim), scale2: constant(layerScaleInit, dim) };
  return {
    norm1: initNorm(dim),
    qkv,
    projection: shrunk(dim),
    norm2: initNorm(dim),
    expand: initDense(random, dim, hidden, initDeviation),
    contract: shrunk(hidden),
    ...(layerScaleInit > 0 ? scales : {}),
  };
}

/**
 * A head as BEiT's fine-tuning starts it: normal numbers of deviation 0.02, all times 0.001, so that classes begin with
 * nearly even odds and the backbone has a gradient from the first step.
 */
export function initHead(random: Random, dim: number, classes: number): Affine<HostTensor> {
  return { weight: normal(random, 0.02 * 0.001, dim, classes), bias: zeros(classes) };
}
