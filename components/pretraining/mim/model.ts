import * as tf from '@tensorflow/tfjs-core';
import { applyBlocks, embedPatches, initVit, type Vit, withPositions } from '../../backbone/vit.ts';
import type { HostTensor } from '../../engine/types.ts';
import { truncatedNormal } from '../../nn/init.ts';
import { type Affine, dense, initDense, layerNorm } from '../../nn/layers.ts';
import { accuracy, crossEntropy } from '../../nn/losses.ts';
import { random } from '../../nn/random.ts';
import { valueAndGradients } from '../../training/gradients.ts';
import { adamw, initMoments, type Moments, type StepSize } from '../../training/optimizer.ts';
import type { MaskedImageModellingConfig } from './config.ts';

export interface MimParameters<T> {
  readonly vit: Vit<T>;
  /** [1, 1, dim]: stands in for the embedding of a masked patch. */
  readonly maskToken: T;
  /** dim -> vocabulary. */
  readonly head: Affine<T>;
}

export interface MimState<T> {
  readonly parameters: MimParameters<T>;
  readonly moments: Moments<MimParameters<T>>;
}

export interface MimBatch<T> {
  /** [B, H, W, 3] in [0, 1]. */
  readonly images: T;
  /** [B, tokens, 1]: 1 where masked. */
  readonly mask: T;
  /** int32 [M]: rows of the masked tokens among B * tokens, padded. */
  readonly rows: T;
  /** [M]: 1 for a masked token, 0 for padding. */
  readonly weights: T;
  /** int32 [M]: the tokenizer's codes of those rows. */
  readonly codes: T;
  readonly size: StepSize<T>;
}

export function initMim(
  config: MaskedImageModellingConfig,
  { imageSize, vocabulary, seed }: { imageSize: number; vocabulary: number; seed: number },
): MimState<HostTensor> {
  const { dim } = config.backbone;
  const parameters = {
    vit: initVit(random(seed, 'vit'), config.backbone, imageSize),
    maskToken: truncatedNormal(random(seed, 'mask token'), 0.02, [1, 1, dim]),
    head: initDense(random(seed, 'head'), dim, vocabulary),
  };
  return { parameters, moments: initMoments(parameters) };
}

/** Logits of the masked tokens only: [M, vocabulary]. */
export function maskedLogits(
  { vit, maskToken, head }: MimParameters<tf.Tensor>,
  config: MaskedImageModellingConfig,
  { images, mask, rows }: Pick<MimBatch<tf.Tensor>, 'images' | 'mask' | 'rows'>,
): tf.Tensor2D {
  const embedded = embedPatches(vit, config.backbone, images);
  const [batch, tokens, dim] = embedded.shape as [number, number, number];
  const hidden = tf.add(tf.mul(embedded, tf.sub(1, mask)), tf.mul(maskToken, mask));
  const encoded = applyBlocks(vit, config.backbone, withPositions(vit, hidden));
  const patches = tf.reshape(tf.slice(encoded, [0, 1, 0], [batch, tokens, dim]), [batch * tokens, dim]);
  return dense(layerNorm(tf.gather(patches, tf.cast(rows, 'int32')), vit.norm), head) as tf.Tensor2D;
}

/** One step: cross-entropy of the codes of masked tokens, AdamW. */
export function mimStep(config: MaskedImageModellingConfig) {
  return (state: MimState<tf.Tensor>, batch: MimBatch<tf.Tensor>) => {
    const { loss, gradients, aux } = valueAndGradients(state.parameters, (parameters) => {
      const logits = maskedLogits(parameters, config, batch);
      const value = crossEntropy(logits, batch.codes, { weights: batch.weights });
      return { loss: value, aux: { accuracy: accuracy(logits, batch.codes, batch.weights) } };
    });
    const { beta2, weightDecay, clipNorm } = config;
    const updated = adamw(state.parameters, gradients, state.moments, batch.size, {
      beta2,
      weightDecay,
      clipNorm,
    });
    return {
      state: { parameters: updated.parameters, moments: updated.moments },
      out: { loss, accuracy: aux.accuracy, gradientNorm: updated.gradientNorm },
    };
  };
}
