import type {
  BatchToSpaceNDAttrs,
  ConcatAttrs,
  DepthToSpaceAttrs,
  GatherV2Attrs,
  GradConfig,
  MirrorPadAttrs,
  PackAttrs,
  PadV2Attrs,
  ReverseAttrs,
  SliceAttrs,
  SpaceToBatchNDAttrs,
  SplitVAttrs,
  Tensor,
  TileAttrs,
  TransposeAttrs,
  UnpackAttrs,
} from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { gradient } from './gradient.ts';

const sizeOf = tf.util.sizeFromShape;

/** Each copy of a repeated tensor sends its gradient back to the original. */
function untile(dy: Tensor, shape: number[], reps: readonly number[]): Tensor {
  const apart = shape.flatMap((length, axis) => [reps[axis], length]);
  const repeated = shape.flatMap((_, axis) => (reps[axis] > 1 ? [2 * axis] : []));
  return tf.reshape(tf.sum(tf.reshape(dy, apart), repeated), shape);
}

/** Adds each picked row's gradient to the row it was picked from. */
function ungather(dy: Tensor, x: Tensor, indices: Tensor, { axis, batchDims = 0 }: GatherV2Attrs): Tensor {
  const at = tf.util.parseAxisParam(axis, x.shape)[0];
  const items = sizeOf(x.shape.slice(0, batchDims));
  const outer = sizeOf(x.shape.slice(batchDims, at));
  const inner = sizeOf(x.shape.slice(at + 1));
  const length = x.shape[at];
  const picked = indices.size / items;
  const rows = tf.transpose(tf.reshape(dy, [items, outer, picked, inner]), [0, 2, 1, 3]);
  const offsets = tf.tensor2d(
    Int32Array.from({ length: items }, (_, item) => item * length),
    [items, 1],
    'int32',
  );
  const places = tf.add(tf.reshape(tf.cast(indices, 'int32'), [items, picked]), offsets);
  const sums = tf.unsortedSegmentSum(
    tf.reshape(rows, [items * picked, outer * inner]),
    tf.reshape(places, [items * picked]) as tf.Tensor1D,
    items * length,
  );
  return tf.reshape(tf.transpose(tf.reshape(sums, [items, length, outer, inner]), [0, 2, 1, 3]), x.shape);
}

/** Segments that were left out (negative ids) have gradient zero. */
function unsegment(dy: Tensor, ids: Tensor): Tensor {
  const rank = dy.rank - 1 + ids.rank;
  const chosen = tf.gather(dy, tf.reshape(tf.maximum(ids, tf.scalar(0, 'int32')), [ids.size]));
  const rows = tf.reshape(chosen, [...ids.shape, ...dy.shape.slice(1)]);
  const inside = tf.cast(tf.greaterEqual(ids, tf.scalar(0, 'int32')), 'float32');
  return tf.mul(rows, tf.reshape(inside, [...ids.shape, ...new Array<number>(rank - ids.rank).fill(1)]));
}

export const shapeGradients: readonly GradConfig[] = [
  gradient('Reshape', { inputs: ['x'] }, (dy, [x]) => ({ x: () => tf.reshape(dy, x.shape) })),
  gradient('ExpandDims', { inputs: ['input'] }, (dy, [input]) => ({
    input: () => tf.reshape(dy, input.shape),
  })),
  gradient<TransposeAttrs>('Transpose', {}, (dy, _, { perm }) => ({
    x: () => tf.transpose(dy, tf.backend_util.getUndoAxesPermutation(perm)),
  })),
  gradient<TileAttrs>('Tile', { inputs: ['x'] }, (dy, [x], { reps }) => ({
    x: () => untile(dy, x.shape, reps),
  })),
  gradient<SliceAttrs>('Slice', { inputs: ['x'] }, (dy, [x], { begin, size }) => ({
    x: () => {
      const [starts, counts] = tf.slice_util.parseSliceParams(x, begin, size);
      return tf.pad(
        dy,
        x.shape.map(
          (length, axis) => [starts[axis], length - starts[axis] - counts[axis]] as [number, number],
        ),
      );
    },
  })),
  {
    kernelName: 'Concat',
    saveAllInputs: true,
    gradFunc: (dy, saved, attributes) => {
      const axis = tf.util.parseAxisParam((attributes as unknown as ConcatAttrs).axis, saved[0].shape)[0];
      const parts = tf.split(
        dy as Tensor,
        saved.map((part) => part.shape[axis]),
        axis,
      );
      return Object.fromEntries(parts.map((part, index) => [index, () => part]));
    },
  },
  {
    kernelName: 'Pack',
    saveAllInputs: true,
    gradFunc: (dy, _, attributes) => {
      const rows = tf.unstack(dy as Tensor, (attributes as unknown as PackAttrs).axis);
      return Object.fromEntries(rows.map((row, index) => [index, () => row]));
    },
  },
  {
    kernelName: 'Unpack',
    gradFunc: (dy, _, attributes) => ({
      value: () => tf.stack([dy].flat(), (attributes as unknown as UnpackAttrs).axis),
    }),
  },
  {
    kernelName: 'SplitV',
    gradFunc: (dy, _, attributes) => ({
      x: () => tf.concat([dy].flat(), (attributes as unknown as SplitVAttrs).axis),
    }),
  },
  gradient<PadV2Attrs>('PadV2', { inputs: ['x'] }, (dy, [x], { paddings }) => ({
    x: () =>
      tf.slice(
        dy,
        paddings.map(([before]) => before),
        x.shape,
      ),
  })),
  gradient<MirrorPadAttrs>('MirrorPad', { inputs: ['x'] }, (dy, [x], { paddings, mode }) => ({
    x: () => unmirror(dy, x.shape, paddings, mode),
  })),
  gradient<ReverseAttrs>('Reverse', {}, (dy, _, { dims }) => ({ x: () => tf.reverse(dy, dims) })),
  gradient<GatherV2Attrs>('GatherV2', { inputs: ['x', 'indices'] }, (dy, [x, indices], attributes) => ({
    x: () => ungather(dy, x, indices, attributes),
    indices: () => tf.zeros(indices.shape),
  })),
  gradient('GatherNd', { inputs: ['params', 'indices'] }, (dy, [params, indices]) => ({
    params: () => tf.scatterND(indices, dy, params.shape),
    indices: () => tf.zeros(indices.shape),
  })),
  gradient('ScatterNd', { inputs: ['indices'] }, (dy, [indices]) => ({
    indices: () => tf.zeros(indices.shape),
    updates: () => tf.gatherND(dy, indices),
  })),
  gradient('UnsortedSegmentSum', { inputs: ['segmentIds'] }, (dy, [ids]) => ({
    x: () => unsegment(dy, ids),
    segmentIds: () => tf.zeros(ids.shape),
  })),
  gradient('OneHot', { inputs: ['indices'] }, (_, [indices]) => ({ indices: () => tf.zeros(indices.shape) })),
  gradient('Diag', { inputs: ['x'] }, (dy, [x]) => ({
    x: () => {
      const rows = tf.reshape(dy, [x.size, x.size]);
      const places = tf.range(0, x.size, 1, 'int32');
      return tf.reshape(tf.gatherND(rows, tf.stack([places, places], 1)), x.shape);
    },
  })),
  gradient<DepthToSpaceAttrs>('DepthToSpace', { inputs: ['x'] }, (dy, [x], { blockSize }) => ({
    x: () => {
      const [batch, height, width, depth] = x.shape;
      const channels = depth / (blockSize * blockSize);
      const apart = tf.reshape(dy, [batch, height, blockSize, width, blockSize, channels]);
      return tf.reshape(tf.transpose(apart, [0, 1, 3, 2, 4, 5]), x.shape);
    },
  })),
  gradient<BatchToSpaceNDAttrs>('BatchToSpaceND', {}, (dy, _, { blockShape, crops }) => ({
    x: () => tf.spaceToBatchND(dy, blockShape, crops),
  })),
  gradient<SpaceToBatchNDAttrs>('SpaceToBatchND', {}, (dy, _, { blockShape, paddings }) => ({
    x: () => tf.batchToSpaceND(dy, blockShape, paddings),
  })),
];

/** Mirrored borders are copies: fold them back, one axis after the other. */
function unmirror(
  dy: Tensor,
  shape: number[],
  paddings: readonly (readonly [number, number])[],
  mode: string,
): Tensor {
  const offset = mode === 'reflect' ? 1 : 0;
  return paddings.reduce((folded, [before, after], axis) => {
    const length = shape[axis];
    const part = (start: number, count: number) => {
      const begin = folded.shape.map((_, each) => (each === axis ? start : 0));
      return tf.slice(
        folded,
        begin,
        folded.shape.map((full, each) => (each === axis ? count : full)),
      );
    };
    const padded = (border: Tensor, start: number, count: number) =>
      tf.pad(
        tf.reverse(border, axis),
        folded.shape.map((_, each): [number, number] =>
          each === axis ? [start, length - start - count] : [0, 0],
        ),
      );
    let sum = part(before, length);
    if (before > 0) sum = tf.add(sum, padded(part(0, before), offset, before));
    if (after > 0) sum = tf.add(sum, padded(part(before + length, after), length - offset - after, after));
    return sum;
  }, dy);
}
