import * as tf from '@tensorflow/tfjs-core';

/**
 * Positions [1, 1 + side * side, dim] for a grid of other rows and columns: the class token keeps its own, the grid is
 * resized bicubically, as DINO does (facebookresearch/dino, vision_transformer.py, `interpolate_pos_encoding`).
 */
export function resizePositions(positions: tf.Tensor, rows: number, columns: number): tf.Tensor {
  const [, count, dim] = positions.shape as [number, number, number];
  const side = Math.round(Math.sqrt(count - 1));
  if (rows === side && columns === side) return positions;
  const own = tf.slice(positions, [0, 0, 0], [1, 1, dim]);
  const grid = tf.reshape(tf.slice(positions, [0, 1, 0], [1, side * side, dim]), [side, side * dim]);
  const tall = tf.reshape(tf.matMul(tf.tensor2d(bicubicMatrix(side, rows)), grid), [rows, side, dim]);
  const wide = tf.matMul(
    tf.tensor2d(bicubicMatrix(side, columns)),
    tf.reshape(tf.transpose(tall, [1, 0, 2]), [side, -1]),
  );
  const resized = tf.transpose(tf.reshape(wide, [columns, rows, dim]), [1, 0, 2]);
  return tf.concat([own, tf.reshape(resized, [1, rows * columns, dim])], 1);
}

/**
 * Weights [to][from] of a bicubic interpolation as `torch.nn.functional.interpolate(mode='bicubic',
 * scale_factor=(to + 0.1) / from)` has them, pixel centres at half integers; the 0.1 is DINO's, against a rounding down.
 */
export function bicubicMatrix(from: number, to: number): number[][] {
  const scale = (to + 0.1) / from;
  return Array.from({ length: to }, (_, target) => {
    const weights = new Array<number>(from).fill(0);
    const centre = (target + 0.5) / scale - 0.5;
    const left = Math.floor(centre);
    for (let tap = -1; tap <= 2; tap++) {
      const source = Math.min(from - 1, Math.max(0, left + tap));
      weights[source] += cubic(Math.abs(centre - left - tap));
    }
    return weights;
  });
}

/** Keys 1981 with a = -0.75, as PyTorch has it. */
function cubic(x: number): number {
  const a = -0.75;
  return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : a * (((x - 5) * x + 8) * x - 4);
}
