import { fileURLToPath } from 'node:url';
import type * as tf from '@tensorflow/tfjs-core';
import type { HostTree } from '../../../components/nn/tree.ts';
import { load as loadInception } from '../../../components/perceptual/inception/load.ts';
import type { FeatureNetwork } from '../../../components/perceptual/types.ts';
import type { VggArchitecture } from '../../../components/perceptual/vgg/architecture.ts';
import { vggLayers } from '../../../components/perceptual/vgg/architecture.ts';
import { initVgg, type VggParameters, vggFeatures } from '../../../components/perceptual/vgg/model.ts';
import { flatten, unflatten } from '../../../components/weights/safetensors.ts';
import type { StageInput } from '../../../framework/stage/contract.ts';

const vgg16: VggArchitecture = { width: 64, blocks: 5, convsPerBlock: [2, 2, 3, 3, 3] };

/** Inception with its weights; VGG16 with random ones, which take the same time. */
export async function perceptualNetworkOf(
  kind: 'inception' | 'vgg16' | 'vgg16-5',
): Promise<{ network: FeatureNetwork; layers: readonly string[] }> {
  const layers = ['relu1_2', 'relu2_2', 'relu3_3', 'relu4_3', 'relu5_3'];
  if (kind !== 'inception')
    return { network: randomVgg16(), layers: kind === 'vgg16' ? layers.slice(0, 4) : layers };
  const weights = new URL(
    '../../../components/perceptual/inception/inception-stem.safetensors',
    import.meta.url,
  );
  const input = {
    config: { upsample: 2, interpolation: 'bilinear' },
    files: { weights: fileURLToPath(weights) },
  } as unknown as StageInput<never>;
  return { network: await loadInception(input), layers: ['activation_3', 'activation_5', 'mixed0'] };
}

function randomVgg16(): FeatureNetwork {
  const { head: _unused, ...convolutions } = initVgg(vgg16, 10, 0);
  return {
    name: 'vgg16 with random weights',
    layers: vggLayers(vgg16),
    weights: flatten(convolutions as unknown as HostTree),
    features: (weights, images, layers) =>
      vggFeatures(
        unflatten<tf.Tensor>(weights) as unknown as VggParameters<tf.Tensor>,
        images,
        layers,
        vgg16,
      ),
  };
}
