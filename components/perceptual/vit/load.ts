import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { LoadFunction } from '../../../framework/stage/contract.ts';
import type { Vit } from '../../backbone/vit.ts';
import { flatten, loadTree, unflatten } from '../../weights/safetensors.ts';
import type { FeatureNetwork } from '../types.ts';
import type { VitConfig } from './config.ts';
import { VIT_LAYERS } from './layout.ts';
import { vitFeatures } from './model.ts';

/** Reads the imported network. */
export const load: LoadFunction<FeatureNetwork, VitConfig> = async ({ config, dir }) => ({
  name: `vision transformer (${config.layout}, imported weights)`,
  layers: VIT_LAYERS,
  weights: flatten(loadTree(path.join(dir, 'vit.safetensors'))),
  features: (tensors, images, layers) =>
    vitFeatures(unflatten<tf.Tensor>(tensors) as unknown as Vit<tf.Tensor>, images, layers, config),
});
