import * as tf from '@tensorflow/tfjs-core';

/** FLOPs of the convolutions that a function runs on tfjs's CPU backend: 2 for each product. */
export async function convFlops(run: () => tf.Tensor | tf.Tensor[]): Promise<number> {
  const { kernels } = await tf.profile(() => run() as tf.Tensor);
  return kernels
    .filter(({ name }) => name === 'Conv2D')
    .reduce((sum, { inputShapes, outputShapes }) => {
      const [height, width, inputs] = inputShapes[1] as number[];
      const places = (outputShapes[0] as number[]).reduce((product, n) => product * n, 1);
      return sum + 2 * places * height * width * inputs;
    }, 0);
}
