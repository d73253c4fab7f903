import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { LoadFunction } from '../../../framework/stage/contract.ts';
import { flatten, loadTree, unflatten } from '../../weights/safetensors.ts';
import type { FeatureNetwork } from '../types.ts';
import { vggLayers } from '../vgg/architecture.ts';
import { type VggParameters, vggFeatures } from '../vgg/model.ts';
import { vgg16Of } from './architecture.ts';
import type { Vgg16Config } from './config.ts';

/** Reads the imported convolutions. */
export const load: LoadFunction<FeatureNetwork, Vgg16Config> = async ({ config, dir }) => {
  const architecture = vgg16Of(config);
  const nest = (tensors: { readonly [name: string]: tf.Tensor }) =>
    unflatten<tf.Tensor>(tensors) as unknown as VggParameters<tf.Tensor>;
  return {
    name: 'VGG16 (imported weights)',
    layers: vggLayers(architecture),
    weights: flatten(loadTree(path.join(dir, 'vgg.safetensors'))),
    features: (tensors, images, layers) => vggFeatures(nest(tensors), images, layers, architecture),
  };
};
