import * as tf from '@tensorflow/tfjs-core';

/** Weights of what is learnt of a box: of its centre's x and y, of width and height. */
export type BoxWeights = readonly [number, number, number, number];

/** Of the proposals (torchvision, `RegionProposalNetwork`). */
export const proposalWeights: BoxWeights = [1, 1, 1, 1];

/** Of the detections (torchvision, `RoIHeads`). */
export const detectionWeights: BoxWeights = [10, 10, 5, 5];

/** Sides grow to 62.5 times at most, so that nothing overflows. */
const mostGrowth = Math.log(1000 / 16);

/** x [..., 4] -> its columns, [..., 1] each. */
export function columnsOf(x: tf.Tensor): [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor] {
  return tf.split(x, 4, x.rank - 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
}

/** Width, height and centre of boxes [..., 4] (x0, y0, x1, y1), [..., 1] each. */
function centred(boxes: tf.Tensor) {
  const [x0, y0, x1, y1] = columnsOf(boxes);
  const [width, height] = [tf.sub(x1, x0), tf.sub(y1, y0)];
  return { width, height, x: tf.add(x0, tf.mul(width, 0.5)), y: tf.add(y0, tf.mul(height, 0.5)) };
}

/**
 * What is to be learnt of `boxes` [..., 4] where `from` [..., 4] was proposed: moves of the centre in widths and heights, and
 * logarithms of the sides' growth, weighted (torchvision, `BoxCoder.encode`). Sides are above 0.
 */
export function encodeBoxes(boxes: tf.Tensor, from: tf.Tensor, weights: BoxWeights): tf.Tensor {
  const [wanted, given] = [centred(boxes), centred(from)];
  const moved = (to: tf.Tensor, at: tf.Tensor, side: tf.Tensor, weight: number) =>
    tf.div(tf.mul(tf.sub(to, at), weight), side);
  const grown = (to: tf.Tensor, side: tf.Tensor, weight: number) => tf.mul(tf.log(tf.div(to, side)), weight);
  return tf.concat(
    [
      moved(wanted.x, given.x, given.width, weights[0]),
      moved(wanted.y, given.y, given.height, weights[1]),
      grown(wanted.width, given.width, weights[2]),
      grown(wanted.height, given.height, weights[3]),
    ],
    -1,
  );
}

/** The inverse of `encodeBoxes`: deltas [..., 4] of boxes [..., 4], which are broadcast. */
export function decodeBoxes(deltas: tf.Tensor, from: tf.Tensor, weights: BoxWeights): tf.Tensor {
  const [dx, dy, dw, dh] = columnsOf(deltas).map((column, index) => tf.div(column, weights[index]!));
  const { width, height, x, y } = centred(from);
  const [centreX, centreY] = [tf.add(tf.mul(dx!, width), x), tf.add(tf.mul(dy!, height), y)];
  const half = (growth: tf.Tensor, side: tf.Tensor) =>
    tf.mul(tf.mul(tf.exp(tf.minimum(growth, mostGrowth)), side), 0.5);
  const [halfWidth, halfHeight] = [half(dw!, width), half(dh!, height)];
  return tf.concat(
    [
      tf.sub(centreX, halfWidth),
      tf.sub(centreY, halfHeight),
      tf.add(centreX, halfWidth),
      tf.add(centreY, halfHeight),
    ],
    -1,
  );
}

/** Boxes [B, ..., 4] cut at the borders of their pictures; `sizes` [B, 2] has heights and widths, float32. */
export function clipBoxes(boxes: tf.Tensor, sizes: tf.Tensor): tf.Tensor {
  const [batch] = boxes.shape as [number];
  const [height, width] = tf.split(sizes, 2, 1) as [tf.Tensor, tf.Tensor];
  const borders = tf.reshape(tf.concat([width, height, width, height], 1), [
    batch,
    ...new Array<number>(boxes.rank - 2).fill(1),
    4,
  ]);
  return tf.minimum(tf.maximum(boxes, 0), borders);
}

/** Whether both sides of boxes [..., 4] are at least so long: bool [...]. */
export function areAtLeast(boxes: tf.Tensor, side: number): tf.Tensor {
  const { width, height } = centred(boxes);
  const long = tf.logicalAnd(tf.greaterEqual(width, side), tf.greaterEqual(height, side));
  return tf.reshape(long, boxes.shape.slice(0, -1));
}

/** Areas of boxes [..., 4]: [..., 1]. */
export function areasOf(boxes: tf.Tensor): tf.Tensor {
  const { width, height } = centred(boxes);
  return tf.mul(width, height);
}

/** Intersections over unions, [B, M, N], of boxes [B, M, 4] and others [B, N, 4] or [1, N, 4]. Of two without area: NaN. */
export function overlaps(boxes: tf.Tensor, others: tf.Tensor): tf.Tensor {
  const across = tf.transpose(others, [0, 2, 1]);
  const row = (index: number) => tf.slice(across, [0, index, 0], [across.shape[0]!, 1, across.shape[2]!]);
  const [x0, y0, x1, y1] = columnsOf(boxes);
  const between = (low: tf.Tensor, high: tf.Tensor, from: number, to: number) =>
    tf.maximum(tf.sub(tf.minimum(high, row(to)), tf.maximum(low, row(from))), 0);
  const common = tf.mul(between(x0, x1, 0, 2), between(y0, y1, 1, 3));
  const otherAreas = tf.mul(tf.sub(row(2), row(0)), tf.sub(row(3), row(1)));
  return tf.div(common, tf.sub(tf.add(areasOf(boxes), otherAreas), common));
}

/** Rows of x [B, N, ...] by number, [B, K] int32: [B, K, ...]. */
export function pick(x: tf.Tensor, rows: tf.Tensor): tf.Tensor {
  return tf.gather(x, rows as tf.Tensor2D, 1, 1);
}
