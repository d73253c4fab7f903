import { type FeatureNetwork, hostTensor, type LoadFunction, tf } from 'peco-exp/kit';

// Sobel's filters, [3, 3, 1, 2]: changes from left to right and from top to bottom.
const across = [-1, 0, 1, -2, 0, 2, -1, 0, 1];
const down = [-1, -2, -1, 0, 0, 0, 1, 2, 1];
const sobel = Float32Array.from(across.flatMap((value, place) => [value / 8, down[place] / 8]));

export const load: LoadFunction<FeatureNetwork> = async () => ({
  name: 'edges (Sobel)',
  layers: ['fine', 'coarse'],
  weights: { sobel: hostTensor([3, 3, 1, 2], sobel) },
  features(weights, images, layers) {
    const grey = tf.mean(images, 3, true) as tf.Tensor4D;
    const edgesOf = (image: tf.Tensor4D) => tf.conv2d(image, weights.sobel as tf.Tensor4D, 1, 'same');
    return layers.map((layer) => {
      if (layer === 'fine') return edgesOf(grey);
      if (layer === 'coarse') return edgesOf(tf.avgPool(grey, 2, 2, 'same'));
      throw new RangeError(`edges has no layer "${layer}"`);
    });
  },
});
