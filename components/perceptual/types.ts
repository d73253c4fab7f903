import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';

/** Weights of a network on the host: give them to a program as constants. */
export type NetworkWeights = { readonly [name: string]: HostTensor };

/** A frozen network whose inner activations say how alike two images look. What role `network` loads to. */
export interface FeatureNetwork {
  /** For reports: `inception (nsfwjs 4.3.0)`. */
  readonly name: string;
  /** Layers that can be asked for, from shallow to deep. */
  readonly layers: readonly string[];
  readonly weights: NetworkWeights;
  /**
   * Activations after the named layers, in the order asked, each `[n, h, w, c]`; computed only as deep as the
   * deepest of them. A pure function of tfjs-core ops, so it can be traced and differentiated.
   *
   * @param weights the tensors of `weights`, by the same names
   * @param images `[n, height, width, 3]`, values in [0, 1]; the network does its own scaling
   * @throws RangeError for a layer that the network does not have
   */
  features(
    weights: { readonly [name: string]: Tensor },
    images: Tensor4D,
    layers: readonly string[],
  ): Tensor4D[];
}
