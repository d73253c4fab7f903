import path from 'node:path';
import { applyDecoder, applyEncoder, type LoadFunction, loadTree, type Tokenizer, tf } from 'peco-exp/kit';
import type { FsqConfig } from './config.ts';
import { codebookOf, codesOf, quantise } from './levels.ts';
import type { Fsq } from './stage.ts';

/** What `encode` and `decode` get as the engine's tensors. */
interface Weights {
  readonly networks: Fsq<tf.Tensor>;
  readonly codebook: tf.Tensor;
}

export const load: LoadFunction<Tokenizer, FsqConfig> = async ({ dir, config: { levels, stride } }) => {
  const codebook = codebookOf(levels);
  return {
    vocabulary: codebook.shape[0]!,
    stride,
    codebook,
    weights: { networks: loadTree(path.join(dir, 'fsq.safetensors')), codebook },
    encode(weights, images) {
      const { networks } = weights as unknown as Weights;
      const codes = codesOf(quantise(applyEncoder(networks.encoder, images), levels), levels);
      return tf.reshape(codes, [images.shape[0], -1]);
    },
    decode(weights, codes) {
      const { networks, codebook } = weights as unknown as Weights;
      const [batch, tokens] = codes.shape as [number, number];
      const side = Math.sqrt(tokens);
      const vectors = tf.gather(codebook, tf.reshape(codes, [-1]));
      return applyDecoder(networks.decoder, tf.reshape(vectors, [batch, side, side, levels.length]));
    },
  };
};
