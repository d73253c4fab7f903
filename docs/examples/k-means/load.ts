import path from 'node:path';
import { type HostTensor, type LoadFunction, loadTree, nearestCodes, type Tokenizer, tf } from 'peco-exp/kit';
import type { KMeansConfig } from './config.ts';
import { toImages, toPatches } from './patches.ts';

type Weights = { readonly codebook: tf.Tensor };

export const load: LoadFunction<Tokenizer, KMeansConfig> = async ({ dir, config }) => {
  const { stride } = config;
  const { codebook } = loadTree<{ codebook: HostTensor }>(path.join(dir, 'codebook.safetensors'));
  return {
    vocabulary: codebook.shape[0],
    stride,
    codebook,
    weights: { codebook },
    encode: (weights, images) => {
      const codes = nearestCodes(toPatches(images, stride), (weights as Weights).codebook);
      return tf.reshape(codes, [images.shape[0], -1]);
    },
    decode: (weights, codes) => {
      const patches = tf.gather((weights as Weights).codebook, tf.reshape(codes, [-1]));
      return toImages(patches, stride, codes.shape[1] as number);
    },
  };
};
