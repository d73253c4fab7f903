import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { LoadFunction } from '../../../framework/stage/contract.ts';
import type { HostTree } from '../../nn/tree.ts';
import { flatten, loadTree, unflatten } from '../../weights/safetensors.ts';
import type { FeatureNetwork } from '../types.ts';
import { vggConvolutions, vggLayers } from './architecture.ts';
import type { VggConfig } from './config.ts';
import { type VggParameters, vggFeatures } from './model.ts';

/** Reads the convolutions of the network; the classifier stays behind. */
export const load: LoadFunction<FeatureNetwork, VggConfig> = async (input) => {
  const { config } = input;
  const trained = loadTree<{ readonly [name: string]: HostTree }>(path.join(input.dir, 'vgg.safetensors'));
  const how = config.steps === 0 ? 'untrained' : 'trained on the train split';
  const names = vggConvolutions(config).map(({ name }) => name);
  const weights = flatten(Object.fromEntries(names.map((name) => [name, trained[name]])));
  return {
    name: `vgg (width ${config.width}, ${config.blocks} blocks, ${how})`,
    layers: vggLayers(config),
    weights,
    features: (tensors, images, layers) => vggFeatures(nest(tensors), images, layers, config),
  };
};

/** `conv1_1/weight` -> `conv1_1: { weight }`. */
function nest(tensors: { readonly [name: string]: tf.Tensor }): VggParameters<tf.Tensor> {
  return unflatten<tf.Tensor>(tensors) as unknown as VggParameters<tf.Tensor>;
}
