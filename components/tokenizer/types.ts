import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';
import type { TreeOf } from '../nn/tree.ts';

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
