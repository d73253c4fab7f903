import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';
import type { Random } from '../nn/random.ts';
import { type NetworkOptions, SMALL_WIDTH } from './networks/options.ts';
import {
  applySmallDecoder,
  applySmallEncoder,
  initSmallDecoder,
  initSmallEncoder,
  type SmallDecoder,
  type SmallEncoder,
} from './networks/small.ts';
import {
  applyVqganDecoder,
  applyVqganEncoder,
  initVqganDecoder,
  initVqganEncoder,
  type VqganDecoder,
  type VqganEncoder,
} from './networks/vqgan.ts';

/**
 * Weights of an encoder, the small one or VQGAN's. What the parameters look like says which of the two they are of, so
 * that a file of weights is enough.
 */
export type Encoder<T> = SmallEncoder<T> | VqganEncoder<T>;
/** Weights of a decoder. */
export type Decoder<T> = SmallDecoder<T> | VqganDecoder<T>;

/** Encoder to `outputs` channels a token: codebook dimensions (VQ) or codebook logits (dVAE). */
export function initEncoder(random: Random, options: NetworkOptions, outputs: number): Encoder<HostTensor> {
  const { width = SMALL_WIDTH, stride, residualBlocks, vqgan } = options;
  return vqgan
    ? initVqganEncoder(random, { ...vqgan, residualBlocks }, outputs)
    : initSmallEncoder(random, { width, stride, residualBlocks }, outputs);
}

/** Decoder from `inputs` channels a token to pixels. */
export function initDecoder(random: Random, options: NetworkOptions, inputs: number): Decoder<HostTensor> {
  const { width = SMALL_WIDTH, stride, residualBlocks, vqgan } = options;
  return vqgan
    ? initVqganDecoder(random, { ...vqgan, residualBlocks }, inputs)
    : initSmallDecoder(random, { width, stride, residualBlocks }, inputs);
}

/** images [B, H, W, 3] in [0, 1] -> [B, H / stride, W / stride, outputs]. */
export function applyEncoder(encoder: Encoder<tf.Tensor>, images: tf.Tensor): tf.Tensor4D {
  const pixels = tf.sub(tf.mul(images, 2), 1);
  return 'levels' in encoder ? applyVqganEncoder(encoder, pixels) : applySmallEncoder(encoder, pixels);
}

/** [B, h, w, inputs] -> images [B, h * stride, w * stride, 3] around [0, 1], not clipped. */
export function applyDecoder(decoder: Decoder<tf.Tensor>, quantised: tf.Tensor): tf.Tensor4D {
  const pixels =
    'levels' in decoder ? applyVqganDecoder(decoder, quantised) : applySmallDecoder(decoder, quantised);
  return tf.add(tf.mul(pixels, 0.5), 0.5) as tf.Tensor4D;
}
