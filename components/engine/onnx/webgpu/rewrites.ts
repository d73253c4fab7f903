import { binary, cast, where } from '../../graph/elementwise.ts';
import type { Rewrite, Wanted } from '../../graph/graph.ts';
import { reduce } from '../../graph/reduce.ts';
import type { Range } from '../../graph/shape.ts';
import { pad, slice as part, reshape, transpose } from '../../graph/shape.ts';
import type { Value } from '../../graph/value.ts';
import { nodeOf, splatOf } from '../../graph/value.ts';

/** Numbers of an attribute that is a list, or none. */
export function integers({ attributes }: Wanted, name: string): readonly number[] {
  const found = attributes[name];
  return found && 'ints' in found ? found.ints : [];
}

function integer({ attributes }: Pick<Wanted, 'attributes'>, name: string): number {
  const found = attributes[name];
  return found && 'int' in found ? found.int : 0;
}

/** The numbers of an operand that is known while recording. */
function known(value: Value | undefined): number[] {
  if (value?.source.kind === 'splat') return [...Array(value.shape[0] ?? 1)].fill(value.source.value);
  if (value?.source.kind !== 'constant') throw new Error('what says where to slice is known while recording');
  return Array.from(value.source.data as ArrayLike<number | bigint>, Number);
}

/** It has no products of transposed operands: they are transposed first. */
export const fusedProduct: Rewrite = (g, wanted) => {
  const [a, b] = (['transA', 'transB'] as const).map((name, index) => {
    const value = wanted.inputs[index]!;
    if (integer(wanted, name) === 0) return value;
    const rank = value.shape.length;
    const perm = [...Array(rank - 2).keys(), rank - 1, rank - 2];
    return transpose(g, value, perm);
  });
  return [g.emit('MatMul', [a, b], wanted.outputs[0]!)];
};

export const sum: Rewrite = (g, { inputs }) => [
  (inputs as readonly Value[]).reduce((total, term) => binary(g, 'Add', total, term)),
];

/** It has no operator for bools but `And` and `Not`; this needs fewer than those. */
export const or: Rewrite = (g, { inputs }) => {
  const [a, b] = inputs as readonly [Value, Value];
  return [cast(g, where(g, a, g.splat(1, 'int32', []), cast(g, b, 'int32')), 'bool')];
};

export const sign: Rewrite = (g, { inputs }) => {
  const x = inputs[0]!;
  if (x.type !== 'float32') return undefined;
  const number = (value: number) => g.splat(value, 'float32', []);
  const below = where(g, binary(g, 'Less', x, number(0), 'bool'), number(-1), x);
  return [where(g, binary(g, 'Greater', x, number(0), 'bool'), number(1), below)];
};

/** Its own gives int64, of which it can't make int32: the first place that holds the extreme. */
const extremePlace =
  (most: 'ReduceMax' | 'ReduceMin'): Rewrite =>
  (g, wanted) => {
    const x = wanted.inputs[0]!;
    const axis = integer(wanted, 'axis');
    const length = x.shape[axis]!;
    const along = x.shape.map((_, each) => (each === axis ? length : 1));
    const numbers = Float32Array.from({ length }, (_, index) => index);
    const isIt = binary(g, 'Equal', x, reduce(g, most, x, [axis], true), 'bool');
    const last = g.splat(length - 1, 'float32', []);
    const places = where(g, isIt, g.constant(numbers, 'float32', along), last);
    return [cast(g, reduce(g, 'ReduceMin', places, [axis], false), 'int32')];
  };

export const argMax = extremePlace('ReduceMax');
export const argMin = extremePlace('ReduceMin');

/** Indices along the last axis, of which none is negative. */
export const oneHot: Rewrite = (g, { inputs, outputs }) => {
  const [indices, , values] = inputs as readonly [Value, Value, Value];
  const [off, on] = known(values) as [number, number];
  const depth = outputs[0]!.shape.at(-1)!;
  const numbers = g.constant(
    Int32Array.from({ length: depth }, (_, index) => index),
    'int32',
    [depth],
  );
  const isIt = binary(g, 'Equal', reshape(g, indices, [...indices.shape, 1]), numbers, 'bool');
  return [where(g, isIt, g.splat(on, 'float32', []), g.splat(off, 'float32', []))];
};

/** It turns whole axes only: of part of an axis it gives the wrong part. So the part is taken first, and then turned. */
export const slice: Rewrite = (g, { inputs, outputs }) => {
  const x = inputs[0]!;
  const [starts, , axes, steps] = inputs.slice(1).map(known) as [number[], number[], number[], number[]];
  const ranges = axes.map((axis, index): Range => {
    return { axis, start: starts[index]!, count: outputs[0]!.shape[axis]!, step: steps[index]! };
  });
  const isWhole = ({ axis, count, step }: Range) => step === -1 && count === x.shape[axis];
  if (ranges.every((range) => range.step > 0 || isWhole(range))) return undefined;
  const forwards = ranges.map((range) => {
    const { start, count, step } = range;
    return step > 0 ? range : { ...range, start: start + (count - 1) * step, step: -step };
  });
  const turned = ranges
    .filter(({ step, count }) => step < 0 && count > 1)
    .map(({ axis, count }) => ({ axis, start: count - 1, count, step: -1 }));
  return [part(g, part(g, x, forwards), turned)];
};

/** It passes over the dilations of convolutions in groups: the filter gets zeros between its numbers. */
export const conv: Rewrite = (g, wanted) => {
  const dilations = integers(wanted, 'dilations');
  if (integer(wanted, 'group') < 2 || dilations.every((step) => step === 1)) return undefined;
  const [x, filter] = wanted.inputs as readonly [Value, Value];
  const [out, channels, height, width] = filter.shape as [number, number, number, number];
  const [down, right] = dilations as [number, number];
  const apart = reshape(g, filter, [out * channels, height, 1, width, 1]);
  const spread = pad(g, apart, [
    [0, 0],
    [0, 0],
    [0, down - 1],
    [0, 0],
    [0, right - 1],
  ]);
  const size = [(height - 1) * down + 1, (width - 1) * right + 1] as const;
  const wide = reshape(g, spread, [out, channels, height * down, width * right]);
  const wideFilter = part(g, wide, [
    { axis: 2, start: 0, count: size[0], step: 1 },
    { axis: 3, start: 0, count: size[1], step: 1 },
  ]);
  const attributes = {
    ...wanted.attributes,
    kernel_shape: { ints: size },
    dilations: { ints: [1, 1] },
  };
  return [g.emit('Conv', [x, wideFilter], wanted.outputs[0]!, attributes)];
};

/** Of groups after the first it reads other numbers of the filter where a group has several inputs: each has its own operator. */
export const convTranspose: Rewrite = (g, wanted) => {
  const groups = integer(wanted, 'group');
  const [x, filter] = wanted.inputs as readonly [Value, Value];
  const each = x.shape[1]! / groups;
  if (groups < 2 || each === 1) return undefined;
  const terms = Array.from({ length: each }, (_, start) => {
    const own = { start, count: groups, step: each };
    const inputs = [part(g, x, [{ axis: 1, ...own }]), part(g, filter, [{ axis: 0, ...own }])];
    return g.emit('ConvTranspose', inputs, wanted.outputs[0]!, wanted.attributes);
  });
  return [terms.reduce((total, term) => binary(g, 'Add', total, term))];
};

/**
 * It doesn't look whether indices are in range, and may read or write anywhere: they become the nearest that are. Negative ones
 * count from the end.
 */
export const guarded: Rewrite = (g, { op, inputs, outputs, attributes }) => {
  const [x, indices, ...others] = inputs as readonly [Value, Value, ...Value[]];
  const length = x.shape[integer({ attributes }, 'axis')]!;
  if (splatOf(nodeOf(indices, 'Min')?.inputs[1] ?? x) === length - 1 || isInside(indices, length))
    return undefined;
  const least = g.splat(-length, indices.type, []);
  const most = g.splat(length - 1, indices.type, []);
  const inside = g.emit('Min', [g.emit('Max', [indices, least], indices), most], indices);
  return [g.emit(op, [x, inside, ...others], outputs[0]!, attributes)];
};

/** Indices that are known while recording. */
function isInside({ source }: Value, length: number): boolean {
  const inside = (index: number | bigint) => index >= -length && index < length;
  if (source.kind === 'splat') return inside(source.value);
  return source.kind === 'constant' && (source.data as Int32Array).every(inside);
}
