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
import { valueAndGradients } from '../../training/gradients.ts';
import { adamw, initMoments, type Moments, type StepSize } from '../../training/optimizer.ts';
import type { FineTuneConfig } from './config.ts';

/** BEiT's classifier: mean of the patch tokens, a norm of its own instead of the backbone's, a linear head. */
export interface Classifier<T> {
  readonly vit: Omit<Vit<T>, 'norm'>;
  readonly norm: Norm<T>;
  readonly head: Affine<T>;
}

export interface FineTuneState<T> {
  readonly parameters: Classifier<T>;
  readonly moments: Moments<Classifier<T>>;
}

export interface FineTuneBatch<T> {
  /** [B, H, W, 3] in [0, 1]. */
  readonly images: T;
  /** int32 [B]. */
  readonly labels: T;
  readonly size: StepSize<T>;
}

export function initClassifier(
  vit: Vit<HostTensor>,
  dim: number,
  classes: number,
): FineTuneState<HostTensor> {
  const { norm: _unused, ...body } = vit;
  const parameters = { vit: body, norm: initNorm(dim), head: initHead(dim, classes) };
  return { parameters, moments: initMoments(parameters) };
}

/** images [B, H, W, 3] -> logits [B, classes]. */
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
 * Factor of the learning rate of a parameter: decay ** (depth + 1 - layer), where the embeddings are layer 0, block i
 * is i + 1 and everything after the blocks is the last (microsoft/unilm, beit/optim_factory.py).
 */
export function layerScale(path: readonly string[], depth: number, decay: number): number {
  const layer = path[0] !== 'vit' ? depth + 1 : path[1] === 'blocks' ? Number(path[2]) + 1 : 0;
  return decay ** (depth + 1 - layer);
}

export function fineTuneStep(config: FineTuneConfig, backbone: VitConfig) {
  return (state: FineTuneState<tf.Tensor>, batch: FineTuneBatch<tf.Tensor>) => {
    const { loss, gradients, aux } = valueAndGradients(state.parameters, (parameters) => {
      const logits = classify(parameters, backbone, batch.images);
      const value = crossEntropy(logits, batch.labels, { smoothing: config.labelSmoothing });
      return { loss: value, aux: { accuracy: accuracy(logits, batch.labels) } };
    });
    const updated = adamw(state.parameters, gradients, state.moments, batch.size, {
      weightDecay: config.weightDecay,
      clipNorm: config.clipNorm,
      scale: (path) => layerScale(path, backbone.depth, config.layerDecay),
    });
    return {
      state: { parameters: updated.parameters, moments: updated.moments },
      out: { loss, accuracy: aux.accuracy },
    };
  };
}
