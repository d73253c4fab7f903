import path from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';
import type { TreeOf } from '../nn/tree.ts';
import { loadTree } from '../weights/safetensors.ts';
import { applyDecoder, type Decoder, type Encoder } from './autoencoder.ts';

/** A trained tokenizer, as pretraining and evaluation use it: what the `load` module of every tokenizer returns. */
export interface Tokenizer {
  /** Number of codes in the codebook: the classes that masked image modelling predicts. */
  readonly vocabulary: number;
  /** Side of the square of pixels that becomes one token. */
  readonly stride: number;
  /** The codebook, [vocabulary, dim]. */
  readonly codebook: HostTensor;
  /** Frozen weights; given to `encode` and `decode` as the engine's tensors. */
  readonly weights: TreeOf<HostTensor>;
  /** images [B, H, W, 3] in [0, 1] -> codes int32 [B, (H / stride) * (W / stride)], row by row. */
  encode(weights: TreeOf<Tensor>, images: Tensor): Tensor;
  /** codes int32 [B, T] -> images [B, H, W, 3], not clipped. */
  decode(weights: TreeOf<Tensor>, codes: Tensor): Tensor;
}

/** What `tokenizer.safetensors` holds. */
export interface TokenizerWeights<T> {
  readonly encoder: Encoder<T>;
  readonly decoder: Decoder<T>;
  /** [vocabulary, dim] */
  readonly codebook: T;
}

/** The part of a tokenizer that VQ-VAE and dVAE share; `encode` gives codes int32 [B * T]. */
export async function loadTokenizer(
  dir: string,
  config: { readonly stride: number },
  encode: (weights: TokenizerWeights<tf.Tensor>, images: tf.Tensor) => tf.Tensor,
): Promise<Tokenizer> {
  const weights = (await loadTree(
    path.join(dir, 'tokenizer.safetensors'),
  )) as unknown as TokenizerWeights<HostTensor>;
  const [vocabulary, dim] = weights.codebook.shape;
  return {
    vocabulary,
    stride: config.stride,
    codebook: weights.codebook,
    weights: weights as unknown as Tokenizer['weights'],
    encode: (tree, images) =>
      tf.reshape(encode(tree as unknown as TokenizerWeights<tf.Tensor>, images), [images.shape[0], -1]),
    decode: (tree, codes) => {
      const { decoder, codebook } = tree as unknown as TokenizerWeights<tf.Tensor>;
      const [batch, count] = codes.shape;
      const side = Math.round(Math.sqrt(count as number));
      const vectors = tf.gather(codebook, tf.reshape(codes, [-1]));
      return applyDecoder(decoder, tf.reshape(vectors, [batch, side, side, dim]));
    },
  };
}
