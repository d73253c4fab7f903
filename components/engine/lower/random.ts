import { cast, onnxTypes } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { concat, slice } from '../graph/shape.ts';
import type { Attributes, ElementType, Value } from '../graph/value.ts';
import { broadcastShapes } from '../graph/value.ts';
import { factors, keySteps, rounds } from '../philox.ts';
import type { UniformAttributes } from '../uniform.ts';
import { uniformKernel } from '../uniform.ts';
import type { Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';

/** The words of many blocks, uint64, each below 2^32. */
type Words = readonly [Value, Value, Value, Value];

/**
 * `uniformValues` by operators on integers. ONNX Runtime multiplies int64, and shifts uint64: the product of two words of
 * 32 bits is the 64 bits of an int64 (it may look negative), which are read as a uint64.
 */
function uniformRows(g: Graph, words: Value, { rows, columns }: UniformAttributes): Value {
  const quarter = Math.ceil(columns / 4);
  const given = low(g, as(g, as(g, words, 'int64'), 'uint64'));
  const pick = (place: number) => slice(g, given, [{ axis: 0, start: place, count: 1, step: 1 }]);
  const [key0, key1, first] = [pick(0), pick(1), pick(2)];
  const row = low(g, sum(g, first, indices(g, [rows, 1])));
  const zero = g.splat(0, 'uint64', [1, 1]);
  let counter: Words = [indices(g, [1, quarter]), row, zero, zero];
  for (let round = 0; round < rounds; round++) {
    const grown = (key: Value, step: number) => low(g, sum(g, key, uint64(g, (round * step) % 2 ** 32)));
    counter = mix(g, counter, grown(key0, keySteps[0]), grown(key1, keySteps[1]));
  }
  const parts = counter.map((word) => fraction(g, word));
  return slice(g, concat(g, parts, 1), [{ axis: 1, start: 0, count: columns, step: 1 }]);
}

/** One round. */
function mix(g: Graph, [c0, c1, c2, c3]: Words, key0: Value, key1: Value): Words {
  const product0 = product(g, c0, factors[0]);
  const product1 = product(g, c2, factors[1]);
  const next0 = xor(g, high(g, product1), xor(g, c1, key0));
  const next2 = xor(g, high(g, product0), xor(g, c3, key1));
  return [next0, low(g, product1), next2, low(g, product0)];
}

/** The upper 23 bits n of a word as (n + 0.5) / 2^23: float32 holds all of these numbers. */
function fraction(g: Graph, word: Value): Value {
  const top = cast(g, as(g, shift(g, word, 9), 'int32'), 'float32');
  const half = emit(g, 'Add', top, g.splat(0.5, 'float32', []));
  return emit(g, 'Mul', half, g.splat(2 ** -23, 'float32', []));
}

const product = (g: Graph, word: Value, factor: number) =>
  as(g, emit(g, 'Mul', as(g, word, 'int64'), g.splat(factor, 'int64', [])), 'uint64');
const sum = (g: Graph, a: Value, b: Value) =>
  as(g, emit(g, 'Add', as(g, a, 'int64'), as(g, b, 'int64')), 'uint64');
const low = (g: Graph, word: Value) => emit(g, 'BitwiseAnd', word, uint64(g, 2 ** 32 - 1));
const high = (g: Graph, word: Value) => shift(g, word, 32);
const xor = (g: Graph, a: Value, b: Value) => emit(g, 'BitwiseXor', a, b);

function shift(g: Graph, word: Value, by: number): Value {
  return emit(g, 'BitShift', word, uint64(g, by), { direction: { text: 'RIGHT' } });
}

function uint64(g: Graph, value: number): Value {
  return g.splat(value, 'uint64', []);
}

/** 0, 1, 2, ... */
function indices(g: Graph, shape: readonly [number, number]): Value {
  const data = BigUint64Array.from({ length: shape[0] * shape[1] }, (_, index) => BigInt(index));
  return g.constant(data, 'uint64', shape);
}

/** The same bits as another type, or as many of the lower ones as it has. */
function as(g: Graph, x: Value, type: ElementType): Value {
  if (x.type === type) return x;
  return g.emit('Cast', [x], { type, shape: x.shape }, { to: { int: onnxTypes[type] } });
}

function emit(g: Graph, op: string, a: Value, b: Value, attributes: Attributes = {}): Value {
  return g.emit(op, [a, b], { type: a.type, shape: broadcastShapes(a.shape, b.shape) }, attributes);
}

export const randomLowerings: Lowerings = {
  [uniformKernel]: withAttributes<UniformAttributes>((g, { words }, attributes) =>
    uniformRows(g, words!, attributes),
  ),
};
