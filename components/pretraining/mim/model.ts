import * as tf from '@tensorflow/tfjs-core';
import { StageError } from '../../../framework/stage/stage-error.ts';
import type { Draw, DropPath } from '../../backbone/drop-path.ts';
import { initVit } from '../../backbone/init.ts';
import { applyBlocks, embedPatches, type Vit, withPositions } from '../../backbone/vit.ts';
import type { HostTensor } from '../../engine/types.ts';
import { truncatedNormal } from '../../nn/init.ts';
import { type Affine, dense, initDense, layerNorm } from '../../nn/layers.ts';
import { accuracy, crossEntropy } from '../../nn/losses.ts';
import { random } from '../../nn/random.ts';
import type { TreeOf } from '../../nn/tree.ts';
import { unit } from '../../nn/unit.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { usualAdvice } from '../../training/loop.ts';
import type { Objective } from '../../training/objective.ts';
import type { MaskedImageModellingConfig } from './config.ts';

/** What only pretraining needs. */
export interface MimHead<T> {
  /** [1, 1, dim]: stands in for the embedding of a masked patch. */
  readonly maskToken: T;
  /** dim -> vocabulary. */
  readonly head: Affine<T>;
}

export interface MimParameters<T> extends MimHead<T> {
  readonly vit: Vit<T>;
}

export interface MimBatch<T> {
  /** What the backbone sees, uint8 [B, H, W, 3]. */
  readonly patches: T;
  /** What the tokenizer sees of the same image, uint8 [B, h, w, 3]; absent: the same picture. */
  readonly tokens?: T;
  /** [B, tokens, 1]: 1 where masked. */
  readonly mask: T;
  /** int32 [M]: rows of the masked tokens among B * tokens, padded. */
  readonly rows: T;
  /** [M]: 1 for a masked token, 0 for padding. */
  readonly weights: T;
  /** int32 [3], of `dropPathNoise`; absent where no branch is left out. */
  readonly noise?: T;
}

/** The frozen tokenizer. */
export type Encoding = Pick<Tokenizer, 'vocabulary' | 'weights' | 'encode'>;

export type MimObjective = Objective<
  MimParameters<tf.Tensor>,
  MimBatch<tf.Tensor>,
  /** int32 [M]: the tokenizer's codes of the masked tokens. */
  tf.Tensor,
  TreeOf<tf.Tensor>
>;

/** Logits of the masked tokens only: [M, vocabulary]. */
export function maskedLogits(
  { vit, maskToken, head }: MimParameters<tf.Tensor>,
  config: Pick<MaskedImageModellingConfig, 'backbone'>,
  { patches: images, mask, rows }: Pick<MimBatch<tf.Tensor>, 'patches' | 'mask' | 'rows'>,
  dropPath?: DropPath,
): tf.Tensor2D {
  const embedded = embedPatches(vit, config.backbone, unit(images));
  const [batch, tokens, dim] = embedded.shape as [number, number, number];
  const hidden = tf.add(tf.mul(embedded, tf.sub(1, mask)), tf.mul(maskToken, mask));
  const encoded = applyBlocks(vit, config.backbone, withPositions(vit, hidden), { dropPath });
  const patches = tf.reshape(tf.slice(encoded, [0, 1, 0], [batch, tokens, dim]), [batch * tokens, dim]);
  return dense(layerNorm(tf.gather(patches, tf.cast(rows, 'int32')), vit.norm), head) as tf.Tensor2D;
}

/**
 * int32 [M]: codes of the masked tokens, as the frozen tokenizer gives them for the same pictures.
 *
 * @throws StageError if the tokenizer doesn't give a code for each patch
 */
export function maskedCodes(
  { encode }: Pick<Encoding, 'encode'>,
  weights: TreeOf<tf.Tensor>,
  { patches, tokens = patches, mask, rows }: Omit<MimBatch<tf.Tensor>, 'weights'>,
): tf.Tensor {
  const codes = tf.reshape(encode(weights, unit(tokens)), [-1]);
  if (codes.size !== mask.size) {
    const message = `the tokenizer gives ${codes.size} codes for ${mask.size} patches of ${tokens.shape[0]} images`;
    throw new StageError(message, { hint: '`encode` gives a code for each square of `stride` pixels' });
  }
  return tf.gather(codes, tf.cast(rows, 'int32'));
}

/** Cross-entropy of the codes of masked tokens. */
export function mimObjective(
  config: MaskedImageModellingConfig,
  tokenizer: Encoding,
  { imageSize, seed, draw }: { readonly imageSize: number; readonly seed: number; readonly draw?: Draw },
): MimObjective {
  const { backbone, dropPath: rate } = config;
  return {
    name: 'masked image modelling',
    advice: `${usualAdvice}; if it is so from the first step on, the tokenizer's weights are too large for float32, or its codes aren't numbers below its vocabulary`,
    init: () => ({
      vit: initVit(random(seed, 'vit'), backbone, imageSize),
      maskToken: truncatedNormal(random(seed, 'mask token'), backbone.initDeviation, [1, 1, backbone.dim]),
      head: initDense(random(seed, 'head'), backbone.dim, tokenizer.vocabulary),
    }),
    sometimes: ['positions'],
    constants: tokenizer.weights as TreeOf<HostTensor> as never,
    targets: (batch, weights) => maskedCodes(tokenizer, weights, batch),
    loss(parameters, { batch, targets: codes }) {
      const { noise } = batch;
      const dropPath = noise && { rate, noise, ...(draw ? { draw } : {}) };
      const logits = maskedLogits(parameters, config, batch, dropPath);
      const loss = crossEntropy(logits, codes, { weights: batch.weights });
      return {
        // A frozen tokenizer gives -1 where its numbers overflow; a code past its vocabulary would be no class at all.
        loss: tf.where(
          tf.logicalOr(tf.less(tf.min(codes), 0), tf.greaterEqual(tf.max(codes), tokenizer.vocabulary)),
          Number.NaN,
          loss,
        ) as tf.Scalar,
        shown: { accuracy: accuracy(logits, codes, batch.weights) },
      };
    },
  };
}
