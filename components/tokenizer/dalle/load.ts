import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { LoadFunction } from '../../../framework/stage/contract.ts';
import type { JsonObject } from '../../../framework/stage/json.ts';
import type { HostTensor } from '../../engine/types.ts';
import { loadTree } from '../../weights/safetensors.ts';
import { bestCodes } from '../codebook.ts';
import type { Tokenizer } from '../tokenizer.ts';
import type { DalleForm } from './architecture.ts';
import { type DalleWeights, dalleDecode, dalleLogits, imagesOf } from './model.ts';

/** Of a tokenizer that was trained here, or imported. As BEiT uses it (microsoft/unilm, beit/modeling_discrete_vae.py): an image's codes have the largest logits. */
export const load: LoadFunction<Tokenizer, DalleForm & JsonObject> = async ({ config, dir }) => {
  const weights = loadTree<DalleWeights<HostTensor>>(path.join(dir, 'tokenizer.safetensors'));
  const { size, dim } = config.codebook;
  return {
    vocabulary: size,
    stride: config.stride,
    codebook: weights.codebook,
    weights: weights as unknown as Tokenizer['weights'],
    encode(tree, images) {
      const logits = dalleLogits(tree as unknown as DalleWeights<tf.Tensor>, images, config);
      return tf.reshape(bestCodes(tf.reshape(logits, [-1, size])), [images.shape[0], -1]);
    },
    decode(tree, codes) {
      const frozen = tree as unknown as DalleWeights<tf.Tensor>;
      const [batch, count] = codes.shape as [number, number];
      const side = Math.round(Math.sqrt(count));
      const vectors = tf.gather(frozen.codebook, tf.reshape(codes, [-1]));
      return imagesOf(dalleDecode(frozen, tf.reshape(vectors, [batch, side, side, dim]), config));
    },
  };
};
