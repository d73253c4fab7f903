import type {
  BatchToSpaceNDAttrs,
  ConcatAttrs,
  DepthToSpaceAttrs,
  ExpandDimsAttrs,
  FillAttrs,
  LinSpaceAttrs,
  MirrorPadAttrs,
  PackAttrs,
  PadV2Attrs,
  RangeAttrs,
  ReshapeAttrs,
  ReverseAttrs,
  SliceAttrs,
  SpaceToBatchNDAttrs,
  SplitVAttrs,
  StridedSliceAttrs,
  TensorInfo,
  TileAttrs,
  TransposeAttrs,
  UnpackAttrs,
} from '@tensorflow/tfjs-core';
import { backend_util, slice_util, util } from '@tensorflow/tfjs-core';
import { where } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { concat, expand, pad, reshape, slice, transpose } from '../graph/shape.ts';
import type { ElementType, Value } from '../graph/value.ts';
import { isForeign, sizeOf } from '../graph/value.ts';
import { EngineError } from '../types.ts';
import { gatherAxis } from './gather.ts';
import type { Lowerings } from './lowering.ts';
import { axesOf, withAttributes } from './lowering.ts';

/** tfjs's shape functions take tensors, but look at the shape only. */
function asTensorInfo(x: Value): TensorInfo {
  return { dataId: {}, shape: [...x.shape], dtype: isForeign(x.type) ? 'int32' : x.type };
}

/** `-1` stands for what remains. */
function inferred(shape: readonly number[], x: Value): number[] {
  const full = util.inferFromImplicitShape([...shape], sizeOf(x.shape));
  if (sizeOf(full) !== sizeOf(x.shape)) {
    throw new EngineError(
      `a tensor of shape [${x.shape.join(', ')}] can't be reshaped to [${shape.join(', ')}]`,
    );
  }
  return full;
}

function beginAndSize(g: Graph, x: Value, begin: readonly number[], size: readonly number[]): Value {
  return slice(
    g,
    x,
    begin.map((start, axis) => ({ axis, start, count: size[axis]!, step: 1 })),
  );
}

function stridedSlice(g: Graph, x: Value, attributes: StridedSliceAttrs): Value {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
  const info = slice_util.sliceInfo(
    [...x.shape],
    begin,
    end,
    strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  );
  if (info.isIdentity) return reshape(g, x, info.finalShape);
  if (sizeOf(info.finalShape) === 0) return g.splat(0, x.type, info.finalShape);
  const ranges = info.begin.map((start, axis) => ({
    axis,
    start,
    count: Math.ceil((info.end[axis]! - start) / info.strides[axis]!),
    step: info.strides[axis]!,
  }));
  return reshape(g, slice(g, x, ranges), info.finalShape);
}

function split(g: Graph, x: Value, numOrSizes: number | number[], axis: number): Value[] {
  const along = axesOf(axis, x.shape.length)[0]!;
  const sizes = backend_util.prepareSplitSize(asTensorInfo(x) as never, numOrSizes, along);
  let start = 0;
  return sizes.map((count) => {
    const part = slice(g, x, [{ axis: along, start, count, step: 1 }]);
    start += count;
    return part;
  });
}

function unpack(g: Graph, value: Value, axis: number): Value[] {
  const along = axesOf(axis, value.shape.length)[0]!;
  const shape = value.shape.filter((_, each) => each !== along);
  return split(g, value, value.shape[along]!, along).map((part) => reshape(g, part, shape));
}

function pack(g: Graph, values: readonly Value[], axis: number): Value {
  const rank = values[0]!.shape.length + 1;
  const along = axesOf(axis, rank)[0]!;
  const rows = values.map((value) =>
    reshape(g, value, [...value.shape.slice(0, along), 1, ...value.shape.slice(along)]),
  );
  return concat(g, rows, along);
}

function mirrorPad(
  g: Graph,
  x: Value,
  paddings: readonly (readonly [number, number])[],
  mode: string,
): Value {
  const offset = mode === 'reflect' ? 0 : 1;
  return paddings.reduce((padded, [before, after], axis) => {
    if (before === 0 && after === 0) return padded;
    const length = x.shape[axis]!;
    const indices = Array.from({ length: before + length + after }, (_, position) => {
      const at = position - before;
      if (at < 0) return -at - offset;
      return at < length ? at : 2 * (length - 1) - at + offset;
    });
    return gatherAxis(g, padded, g.constant(Int32Array.from(indices), 'int32', [indices.length]), axis);
  }, x);
}

function reverse(g: Graph, x: Value, axes: readonly number[]): Value {
  return slice(
    g,
    x,
    axes.map((axis) => ({ axis, start: x.shape[axis]! - 1, count: x.shape[axis]!, step: -1 })),
  );
}

function tile(g: Graph, x: Value, reps: readonly number[]): Value {
  const total = x.shape.map((length, axis) => length * reps[axis]!);
  if (x.shape.every((length, axis) => length === 1 || reps[axis] === 1)) return expand(g, x, total);
  const pairs = x.shape.map((length, axis) => [reps[axis]!, length] as const);
  const apart = reshape(
    g,
    x,
    pairs.flatMap(([, length]) => [1, length]),
  );
  return reshape(
    g,
    expand(g, apart, pairs.flat()),
    pairs.map(([times, length]) => times * length),
  );
}

function depthToSpace(g: Graph, x: Value, block: number): Value {
  const [batch, height, width, depth] = x.shape as [number, number, number, number];
  const channels = depth / (block * block);
  const apart = reshape(g, x, [batch, height, width, block, block, channels]);
  return reshape(g, transpose(g, apart, [0, 1, 3, 2, 4, 5]), [
    batch,
    height * block,
    width * block,
    channels,
  ]);
}

function batchToSpace(g: Graph, x: Value, block: number[], crops: number[][]): Value {
  const product = sizeOf(block);
  const apart = backend_util.getReshaped([...x.shape], block, product);
  const perm = backend_util.getPermuted(apart.length, block.length);
  const together = backend_util.getReshapedPermuted([...x.shape], block, product);
  const begin = backend_util.getSliceBeginCoords(crops, block.length);
  const size = backend_util.getSliceSize(together, crops, block.length);
  return beginAndSize(g, reshape(g, transpose(g, reshape(g, x, apart), perm), together), begin, size);
}

function spaceToBatch(g: Graph, x: Value, block: number[], paddings: number[][]): Value {
  const rest = x.shape.length - 1 - block.length;
  const all = [[0, 0], ...paddings, ...Array.from({ length: rest }, () => [0, 0])];
  const padded = pad(g, x, all as [number, number][]);
  const shape = [...padded.shape];
  const apart = backend_util.getReshaped(shape, block, sizeOf(block), false);
  const perm = backend_util.getPermuted(apart.length, block.length, false);
  const together = backend_util.getReshapedPermuted(shape, block, sizeOf(block), false);
  return reshape(g, transpose(g, reshape(g, padded, apart), perm), together);
}

function filled(g: Graph, shape: readonly number[], value: number, type: ElementType): Value {
  return g.splat(type === 'float32' ? Math.fround(value) : value, type, shape);
}

/** A tensor of twice the rank that is zero where the two halves of its index differ. */
function diag(g: Graph, x: Value): Value {
  const size = sizeOf(x.shape);
  const square = Uint8Array.from({ length: size * size }, (_, index) => (index % (size + 1) === 0 ? 1 : 0));
  const diagonal = g.constant(square, 'bool', [size, size]);
  const rows = where(g, diagonal, reshape(g, x, [1, size]), g.splat(0, x.type, []));
  return reshape(g, rows, [...x.shape, ...x.shape]);
}

export const shapeLowerings: Lowerings = {
  Reshape: withAttributes<ReshapeAttrs>((g, { x }, { shape }) => reshape(g, x, inferred(shape, x))),
  ExpandDims: withAttributes<ExpandDimsAttrs>((g, { input }, { dim }) => {
    const at = dim < 0 ? dim + input.shape.length + 1 : dim;
    return reshape(g, input, [...input.shape.slice(0, at), 1, ...input.shape.slice(at)]);
  }),
  Transpose: withAttributes<TransposeAttrs>((g, { x }, { perm }) => transpose(g, x, perm)),
  Tile: withAttributes<TileAttrs>((g, { x }, { reps }) => tile(g, x, reps)),
  Slice: withAttributes<SliceAttrs>((g, { x }, { begin, size }) => {
    const [starts, counts] = slice_util.parseSliceParams(asTensorInfo(x), begin, size) as [
      number[],
      number[],
    ];
    slice_util.assertParamsValid(asTensorInfo(x), starts, counts);
    return beginAndSize(g, x, starts, counts);
  }),
  StridedSlice: withAttributes<StridedSliceAttrs>((g, { x }, attributes) => stridedSlice(g, x, attributes)),
  Concat: withAttributes<ConcatAttrs>((g, inputs, { axis }) => {
    const parts = Object.values(inputs);
    const along = axesOf(axis, parts[0]!.shape.length)[0]!;
    backend_util.assertParamsConsistent(
      parts.map(({ shape }) => [...shape]),
      along,
    );
    return concat(g, parts, along);
  }),
  Pack: withAttributes<PackAttrs>((g, inputs, { axis }) => pack(g, Object.values(inputs), axis)),
  Unpack: withAttributes<UnpackAttrs>((g, { value }, { axis }) => unpack(g, value, axis)),
  SplitV: withAttributes<SplitVAttrs>((g, { x }, { numOrSizeSplits, axis }) =>
    split(g, x, numOrSizeSplits, axis),
  ),
  PadV2: withAttributes<PadV2Attrs>((g, { x }, { paddings, constantValue }) =>
    pad(g, x, paddings, constantValue),
  ),
  MirrorPad: withAttributes<MirrorPadAttrs>((g, { x }, { paddings, mode }) =>
    mirrorPad(g, x, paddings, mode),
  ),
  Reverse: withAttributes<ReverseAttrs>((g, { x }, { dims }) => reverse(g, x, axesOf(dims, x.shape.length))),
  Diag: (g, { x }) => diag(g, x),
  DepthToSpace: withAttributes<DepthToSpaceAttrs>((g, { x }, { blockSize }) => depthToSpace(g, x, blockSize)),
  BatchToSpaceND: withAttributes<BatchToSpaceNDAttrs>((g, { x }, { blockShape, crops }) =>
    batchToSpace(g, x, blockShape, crops),
  ),
  SpaceToBatchND: withAttributes<SpaceToBatchNDAttrs>((g, { x }, { blockShape, paddings }) =>
    spaceToBatch(g, x, blockShape, paddings),
  ),
  Fill: withAttributes<FillAttrs>((g, _, { shape, value, dtype }) =>
    filled(g, shape, Number(value), (dtype ?? 'float32') as ElementType),
  ),
  ZerosLike: (g, { x }) => g.splat(0, x.type, x.shape),
  OnesLike: (g, { x }) => g.splat(1, x.type, x.shape),
  Range: withAttributes<RangeAttrs>((g, _, { start, stop, step, dtype }) => {
    const length =
      start === stop || Math.sign(stop - start) !== Math.sign(step) ? 0 : Math.ceil((stop - start) / step);
    const values = Array.from({ length }, (_value, index) => start + index * step);

    if (dtype === 'int32') return g.constant(Int32Array.from(values), 'int32', [length]);
    return g.constant(Float32Array.from(values), 'float32', [length]);
  }),
  LinSpace: withAttributes<LinSpaceAttrs>((g, _, { start, stop, num }) => {
    const step = (stop - start) / (num - 1 || 1);
    return g.constant(
      Float32Array.from({ length: num }, (_value, index) => start + index * step),
      'float32',
      [num],
    );
  }),
};
