import { readFileSync } from 'node:fs';
import type { LoadFunction } from '../../../framework/stage/contract.ts';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { hostTensor } from '../../nn/tree.ts';
import { type RawTensor, toHost } from '../../weights/raw.ts';
import { parseSafetensors } from '../../weights/safetensors.ts';
import type { FeatureNetwork, NetworkWeights } from '../types.ts';
import type { InceptionConfig } from './config.ts';
import { inceptionFeatures } from './model.ts';
import { CONVOLUTIONS, INCEPTION_LAYERS } from './topology.ts';

/** Reads the weights that ship with this folder. */
export const load: LoadFunction<FeatureNetwork, InceptionConfig> = async (input) => {
  const options = input.config;
  const file = input.files.weights;
  const { tensors, metadata } = parseSafetensors(readFileSync(file), file);
  return {
    name: `inception (${metadata.source})`,
    layers: INCEPTION_LAYERS,
    weights: dequantise(tensors, file),
    features: (weights, images, layers) => inceptionFeatures(weights, images, layers, options),
  };
};

/** Bytes to float32 kernels: minimum + scale * byte, both a number an output channel, which is the last axis. */
function dequantise(tensors: { readonly [name: string]: RawTensor }, file: string): NetworkWeights {
  const find = (name: string): RawTensor => {
    if (!Object.hasOwn(tensors, name)) throw new StageError(`${file}: has no tensor "${name}"`);
    return tensors[name];
  };
  const weights: { [name: string]: NetworkWeights[string] } = {};
  for (const { name, shape } of CONVOLUTIONS) {
    const minimum = toHost(find(`${name}/kernel.min`)).data;
    const scale = toHost(find(`${name}/kernel.scale`)).data;
    const outputs = shape[3];
    const { bytes } = find(`${name}/kernel`);
    const kernel = Float32Array.from(bytes, (byte, i) => minimum[i % outputs] + scale[i % outputs] * byte);
    weights[`${name}/kernel`] = hostTensor(shape, kernel);
    weights[`${name}/bias`] = toHost(find(`${name}/bias`));
  }
  return weights;
}
