import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';
import { loadTree } from '../weights/safetensors.ts';
import { applyDecoder, type Decoder, type Encoder } from './autoencoder.ts';
import type { Tokenizer } from './types.ts';

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
