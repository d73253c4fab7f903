import * as tf from '@tensorflow/tfjs-core';

/** A map among those that are stacked. */
export interface StackedLevel {
  readonly side: number;
  /** Pixels of the canvas from place to place. */
  readonly stride: number;
}

/** Maps of several sizes as one, so that boxes of all levels are cut at once. */
export interface Stack {
  /** [B, rows, width, C]: the maps below each other, zeros to the right of narrow ones. */
  readonly map: tf.Tensor4D;
  readonly levels: readonly StackedLevel[];
}

/** Square maps [B, side, side, C], the finest first. */
export function stackMaps(maps: readonly tf.Tensor4D[], strides: readonly number[]): Stack {
  const width = maps[0]!.shape[2];
  const levels = maps.map(({ shape }, index) => ({ side: shape[1], stride: strides[index]! }));
  const wide = maps.map((map) =>
    map.shape[2] === width
      ? map
      : tf.pad(map, [
          [0, 0],
          [0, 0],
          [0, width - map.shape[2]],
          [0, 0],
        ]),
  );
  return { map: tf.concat(wide, 1), levels };
}

export interface Pooling {
  /** Places a side that are cut of each box. */
  readonly size: number;
  /** Samples along a side of each place. */
  readonly samples: number;
  /** Products with whole maps, or picking of the places that are needed. Absent: what is faster. */
  readonly by?: 'product' | 'picking';
}

export interface Assignment {
  /** A box of this side belongs to the level with stride 2^level. */
  readonly size: number;
  readonly level: number;
}

/**
 * Which level each box [B, R, 4] is cut from, int32 [B, R]: floor(level + log2(side / size)), side the root of the area, as far
 * as there are levels (Lin et al. 2017, equation 1; torchvision's `LevelMapper`, whose logarithm is 1e-6 larger, too).
 */
export function assignLevels(
  boxes: tf.Tensor,
  levels: readonly StackedLevel[],
  { size, level }: Assignment,
): tf.Tensor {
  const [batch, count] = boxes.shape as [number, number];
  const finest = Math.round(Math.log2(levels[0]!.stride));
  const [x0, y0, x1, y1] = tf.split(boxes, 4, 2) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const side = tf.sqrt(tf.mul(tf.sub(x1, x0), tf.sub(y1, y0)));
  // From which side on it is the next level: without a logarithm, which engines round differently.
  const from = levels.slice(1).map((_, index) => size * 2 ** (finest + index + 1 - level - 1e-6));
  const passed = tf.cast(tf.greaterEqual(side, tf.tensor3d(from, [1, 1, from.length])), 'int32');
  return tf.reshape(tf.sum(passed, 2), [batch, count]);
}

/** Between which two places of a map each sample along one axis lies, and how much it takes of them. */
interface Taps {
  /** int32 [B, R, size, samples * 2], rows or columns of the stack. */
  readonly at: tf.Tensor;
  /** float32, the same shape: of all samples of a place together 1, or less where some are outside the map. */
  readonly share: tf.Tensor;
}

/** Where the boxes of an axis lie in their maps, [B, R, 1, 1] each, float32 but the last. */
interface Axis {
  readonly from: tf.Tensor;
  readonly to: tf.Tensor;
  /** Places of the map. */
  readonly length: tf.Tensor;
  /** Before the map in the stack. */
  readonly start: tf.Tensor;
}

/** `counts`: how many of the samples of each box are taken, [B, R, 1, 1]; absent: all. */
function tapsOf({ from, to, length, start }: Axis, { size, samples }: Pooling, counts?: tf.Tensor): Taps {
  const [batch, boxes] = from.shape as [number, number];
  const place = tf.reshape(tf.range(0, size), [1, 1, size, 1]);
  const sample = tf.reshape(tf.range(0, samples), [1, 1, 1, samples]);
  const bin = tf.div(tf.sub(to, from), size);
  const taken = counts ?? tf.scalar(samples);
  const step = tf.div(tf.mul(tf.add(sample, 0.5), bin), taken);
  // Place i of a map lies at i + 0.5 (`aligned: true`): what is cut for a mask lies where the mask is pasted.
  const exact = tf.sub(tf.add(tf.add(from, tf.mul(place, bin)), step), 0.5);
  const inside = tf.logicalAnd(tf.greaterEqual(exact, -1), tf.lessEqual(exact, length));
  const counted = counts ? tf.logicalAnd(inside, tf.less(sample, counts)) : inside;
  const last = tf.sub(length, 1);
  const at = tf.minimum(tf.maximum(exact, 0), last);
  const low = tf.floor(at);
  const upper = tf.sub(at, low);
  const each = tf.div(tf.cast(counted, 'float32'), taken);
  const shape = [batch, boxes, size, samples];
  const row = (value: tf.Tensor) =>
    tf.add(tf.cast(tf.broadcastTo(value, shape), 'int32'), tf.cast(start, 'int32'));
  return {
    at: tf.concat([row(low), row(tf.minimum(tf.add(low, 1), last))], 3),
    share: tf.concat([tf.mul(each, tf.sub(1, upper)), tf.mul(each, upper)], 3),
  };
}

/** Taps as matrices [B, R * size, length]: what each place of a box takes of each row (or column) of the stack. */
function matrixOf({ at, share }: Taps, length: number): tf.Tensor3D {
  const [batch, boxes, size, taps] = at.shape as [number, number, number, number];
  const rows = batch * boxes * size;
  const starts = tf.mul(tf.range(0, rows, 1, 'int32'), tf.scalar(length, 'int32'));
  const cells = tf.add(tf.reshape(at, [rows, taps]), tf.reshape(starts, [rows, 1]));
  const matrix = tf.scatterND(tf.reshape(cells, [rows * taps, 1]), tf.reshape(share, [rows * taps]), [
    rows * length,
  ]);
  return tf.reshape(matrix, [batch, boxes * size, length]);
}

/** Up to so many places of the stack for each place of a box, products with whole maps are faster than picking. */
const mostByProduct = 2500;

/** Numbers that are picked at once, 32 MiB: boxes go through in parts. */
const mostPicked = 2 ** 23;

/**
 * RoIAlign (He et al. 2017) of boxes [B, R, 4], in pixels of the canvas, from the levels [B, R] of a stack: the means of
 * bilinear samples, [B, R, size, size, C]. As detectron2's `ROIAlignV2` (`aligned: true`): samples up to a place
 * outside a map count as on its border, those beyond as 0.
 *
 * The map has a gradient, boxes have none: they must not depend on parameters.
 */
export function poolBoxes(
  { map, levels }: Stack,
  boxes: tf.Tensor,
  level: tf.Tensor,
  pooling: Pooling,
): tf.Tensor {
  const axes = axesOf(levels, boxes, level);
  const { size, by } = pooling;
  const [, rows, width] = map.shape;
  const [down, right] = [tapsOf(axes.down, pooling), tapsOf(axes.right, pooling)];
  return (by ?? (rows * width <= mostByProduct * size ? 'product' : 'picking')) === 'product'
    ? poolByProduct(map, matrixOf(down, rows), matrixOf(right, width), size)
    : poolByPicking(map, down, right);
}

/** Where boxes lie in the maps of their levels. */
function axesOf(
  levels: readonly StackedLevel[],
  boxes: tf.Tensor,
  level: tf.Tensor,
): { readonly down: Axis; readonly right: Axis } {
  const [batch, count] = boxes.shape as [number, number];
  const shape = [batch, count, 1, 1];
  const before = levels.map((_, index) => levels.slice(0, index).reduce((sum, { side }) => sum + side, 0));
  const ofLevel = (values: readonly number[]) =>
    tf.reshape(tf.gather(tf.tensor1d([...values]), level as tf.Tensor2D), shape);
  const length = ofLevel(levels.map(({ side }) => side));
  const scale = ofLevel(levels.map(({ stride }) => 1 / stride));
  const [x0, y0, x1, y1] = tf
    .split(boxes, 4, 2)
    .map((corner) => tf.mul(tf.reshape(corner, shape), scale)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  return {
    down: { from: y0, to: y1, length, start: ofLevel(before) },
    right: { from: x0, to: x1, length, start: tf.zerosLike(length) },
  };
}

/** Two matrix products: rows first, then columns. */
function poolByProduct(map: tf.Tensor4D, down: tf.Tensor3D, right: tf.Tensor3D, size: number): tf.Tensor {
  const [batch, rows, width, channels] = map.shape;
  const count = down.shape[1] / size;
  const tall = tf.matMul(down, tf.reshape(map, [batch, rows, width * channels]));
  const lines = tf.reshape(tall, [batch * count * size, width, channels]);
  const ofBox = tf.reshape(right, [batch * count, 1, size, width]);
  const ofLine = tf.reshape(tf.tile(ofBox, [1, size, 1, 1]), [batch * count * size, size, width]);
  return tf.reshape(tf.matMul(ofLine, lines), [batch, count, size, size, channels]);
}

/** Picks each sample's neighbours. */
function poolByPicking(map: tf.Tensor4D, down: Taps, right: Taps): tf.Tensor {
  const [batch, rows, width, channels] = map.shape;
  const [, boxes, size, taps] = down.at.shape as [number, number, number, number];
  const table = tf.reshape(map, [batch * rows * width, channels]);
  const starts = tf.mul(tf.range(0, batch, 1, 'int32'), tf.scalar(rows * width, 'int32'));
  const image = tf.reshape(starts, [batch, 1, 1, 1, 1, 1]);
  const most = Math.max(1, Math.floor(mostPicked / (batch * size ** 2 * taps ** 2 * channels)));
  const parts: tf.Tensor[] = [];
  for (let first = 0; first < boxes; first += most) {
    const count = Math.min(most, boxes - first);
    const [tall, wide] = (
      [
        [size, 1, taps, 1],
        [1, size, 1, taps],
      ] as const
    ).map((shape, axis) => {
      const { at, share } = [down, right][axis]!;
      const own = (x: tf.Tensor) =>
        tf.reshape(tf.slice(x, [0, first, 0, 0], [batch, count, size, taps]), [batch, count, ...shape]);
      return { at: own(at), share: own(share) };
    });
    const row = tf.mul(tall!.at, tf.scalar(width, 'int32'));
    const places = tf.add(tf.add(row, wide!.at), image);
    const shares = tf.mul(tall!.share, wide!.share);
    const cells = batch * count * size ** 2;
    const picked = tf.gather(table, tf.reshape(places, [cells * taps ** 2]) as tf.Tensor1D);
    const means = tf.matMul(
      tf.reshape(shares, [cells, 1, taps ** 2]),
      tf.reshape(picked, [cells, taps ** 2, channels]),
    );
    parts.push(tf.reshape(means, [batch, count, size, size, channels]));
  }
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 1);
}

/**
 * RoIAlign of one mask for each box, float32 [N, size, size]: of masks [N, H, W] of zeros and ones, for boxes [N, 4] in pixels of the masks.
 * Each place has as many samples as it has pixels, rounded up (torchvision's `sampling_ratio: -1`).
 */
export function poolMasks(masks: tf.Tensor3D, boxes: tf.Tensor, size: number): tf.Tensor3D {
  const [count, height, width] = masks.shape;
  const [x0, y0, x1, y1] = tf.split(boxes, 4, 1).map((corner) => tf.reshape(corner, [1, count, 1, 1])) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const matrix = (from: tf.Tensor, to: tf.Tensor, length: number) => {
    const axis: Axis = { from, to, length: tf.scalar(length), start: tf.scalar(0) };
    const counts = tf.maximum(tf.ceil(tf.div(tf.sub(to, from), size)), 1);
    const taps = tapsOf(axis, { size, samples: Math.ceil(length / size) }, counts);
    return tf.reshape(matrixOf(taps, length), [count, size, length]);
  };
  const [down, right] = [matrix(y0, y1, height), matrix(x0, x1, width)];
  return tf.matMul(tf.matMul(down, masks), right, false, true) as tf.Tensor3D;
}
