import * as tf from '@tensorflow/tfjs-core';
import { blockOutputs, embedPatches, type Vit, withPositions } from '../../backbone/vit.ts';
import { deepest } from '../layers.ts';
import type { VitConfig } from './config.ts';
import { VIT_LAYERS, type VitLayer } from './layout.ts';
import { resizePositions } from './positions.ts';

/**
 * Activations of the named layers; see FeatureNetwork. images [n, h, w, 3] in [0, 1] -> each [n, h / patch, w / patch, dim]:
 * the patches' tokens as the block leaves them, before any norm, without the class token.
 *
 * @throws RangeError if patches don't tile the images
 */
export function vitFeatures(
  vit: Vit<tf.Tensor>,
  images: tf.Tensor4D,
  layers: readonly string[],
  { heads, patch, pixels }: Pick<VitConfig, 'heads' | 'patch' | 'pixels'>,
): tf.Tensor4D[] {
  const depth = deepest(VIT_LAYERS, layers) + 1;
  const [count, height, width] = images.shape;
  if (height % patch !== 0 || width % patch !== 0)
    throw new RangeError(`patches of ${patch} pixels don't tile pictures of ${height} x ${width}`);
  const [rows, columns] = [height / patch, width / patch];
  const embedded = embedPatches(vit, { patch, pixels }, images);
  const { classToken, positions } = vit;
  const tokens = withPositions(
    { classToken, positions: resizePositions(positions!, rows, columns) },
    embedded,
  );
  const outputs = blockOutputs(vit, { heads }, tokens, { depth });
  const dim = tokens.shape[2]!;
  return layers.map((layer) => {
    const output = outputs[VIT_LAYERS.indexOf(layer as VitLayer)];
    const patches = tf.slice(output, [0, 1, 0], [count, rows * columns, dim]);
    return tf.reshape(patches, [count, rows, columns, dim]);
  });
}
