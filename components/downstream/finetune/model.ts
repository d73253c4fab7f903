import type * as tf from '@tensorflow/tfjs-core';
import type { VitConfig } from '../../backbone/config.ts';
import {
  applyBlocks,
  embedPatches,
  initHead,
  meanOfPatches,
  type Vit,
  withPositions,
} from '../../backbone/vit.ts';
import type { HostTensor } from '../../engine/types.ts';
import { type Affine, dense, initNorm, layerNorm, type Norm } from '../../nn/layers.ts';
import { accuracy, crossEntropy } from '../../nn/losses.ts';
import { unit } from '../../nn/unit.ts';
import type { Objective } from '../../training/objective.ts';
import type { FineTuneConfig } from './config.ts';

/** BEiT's classifier: mean of the patch tokens, a norm of its own instead of the backbone's, a linear head. */
export interface Classifier<T> {
  readonly vit: Omit<Vit<T>, 'norm'>;
  readonly norm: Norm<T>;
  readonly head: Affine<T>;
}

export interface FineTuneBatch<T> {
  /** uint8 [B, H, W, 3]. */
  readonly images: T;
  /** int32 [B]. */
  readonly labels: T;
}

export function initClassifier(vit: Vit<HostTensor>, dim: number, classes: number): Classifier<HostTensor> {
  const { norm: _unused, ...body } = vit;
  return { vit: body, norm: initNorm(dim), head: initHead(dim, classes) };
}

/** images [B, H, W, 3] in [0, 1] -> logits [B, classes]. */
export function classify(
  parameters: Classifier<tf.Tensor>,
  backbone: VitConfig,
  images: tf.Tensor,
): tf.Tensor2D {
  const vit = parameters.vit as Vit<tf.Tensor>;
  const tokens = withPositions(vit, embedPatches(vit, backbone, images));
  const pooled = meanOfPatches(applyBlocks(vit, backbone, tokens));
  return dense(layerNorm(pooled, parameters.norm), parameters.head) as tf.Tensor2D;
}

/**
 * How many layers come after that of a parameter, of depth + 1: the embeddings are layer 0, block i is i + 1 and
 * everything after the blocks is the last (microsoft/unilm, beit/optim_factory.py).
 */
export function layersAfter(path: readonly string[], depth: number): number {
  const layer = path[0] !== 'vit' ? depth + 1 : path[1] === 'blocks' ? Number(path[2]) + 1 : 0;
  return depth + 1 - layer;
}

/** Cross-entropy of the labels. */
export function fineTuneObjective(
  config: FineTuneConfig,
  backbone: VitConfig,
  start: Classifier<HostTensor>,
): Objective<Classifier<tf.Tensor>, FineTuneBatch<tf.Tensor>> {
  return {
    name: 'fine-tuning',
    init: () => start,
    loss(parameters, { batch: { images, labels } }) {
      const logits = classify(parameters, backbone, unit(images));
      return {
        loss: crossEntropy(logits, labels, { smoothing: config.labelSmoothing }),
        shown: { accuracy: accuracy(logits, labels) },
      };
    },
    layersAfter: (path) => layersAfter(path, backbone.depth),
  };
}
