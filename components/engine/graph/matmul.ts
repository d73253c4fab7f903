import { EngineError } from '../types.ts';
import { binary } from './elementwise.ts';
import type { Graph } from './graph.ts';
import { longestSum, mostThreads, reduce } from './reduce.ts';
import { reshape, transpose, transposeOf } from './shape.ts';
import type { Value } from './value.ts';
import { broadcastShapes, sizeOf } from './value.ts';

interface Operand {
  readonly value: Value;
  readonly transposed: boolean;
}

/** Matrix product over the last two axes, the others broadcast; float32. */
export function matmul(g: Graph, a: Value, b: Value, transposeA = false, transposeB = false): Value {
  const left = absorbTranspose({ value: a, transposed: transposeA });
  const right = absorbTranspose({ value: b, transposed: transposeB });
  const rows = a.shape.at(transposeA ? -1 : -2)!;
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  if (a.shape.at(transposeA ? -2 : -1) !== b.shape.at(transposeB ? -1 : -2)) {
    const flags = `transposed: ${transposeA}, ${transposeB}`;
    throw new EngineError(
      `matrices [${a.shape.join(', ')}] and [${b.shape.join(', ')}] (${flags}) can't be multiplied`,
    );
  }
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, rows, columns];
  if (sizeOf(batch) === 1) return reshape(g, gemm(g, asMatrix(g, left), asMatrix(g, right)), shape);
  if (sizeOf(b.shape.slice(0, -2)) === 1 && !left.transposed) {
    // One matrix for the whole batch: the batch is just more rows.
    const inner = a.shape.at(-1)!;
    const all = reshape(g, left.value, [sizeOf(a.shape) / inner, inner]);
    return reshape(g, gemm(g, { value: all, transposed: false }, asMatrix(g, right)), shape);
  }
  const attributes = {
    transA: { int: left.transposed ? 1 : 0 },
    transB: { int: right.transposed ? 1 : 0 },
  };
  return g.emit(
    'FusedMatMul',
    [left.value, right.value],
    { type: 'float32', shape },
    attributes,
    'com.microsoft',
  );
}

/** Two plain matrices. */
export function gemm(g: Graph, a: Operand, b: Operand): Value {
  const [inner, rows] = a.transposed ? a.value.shape : a.value.shape.toReversed();
  const columns = b.value.shape[b.transposed ? 0 : 1]!;
  if (g.target.losesDigits && inner! > longestSum.row) {
    if (columns === 1) return byVector(g, a, b.value);
    if (Math.max(rows!, columns) <= narrow) return narrowProduct(g, a, b);
  }
  if (!g.target.variesWithThreads) return product(g, a, b, [rows!, columns]);
  const turnedFirst = a.transposed && inner! >= longSum;
  const left = variesWithThreads(rows!, inner!, columns)
    ? { value: a.transposed ? a.value : turned(g, a.value), transposed: true }
    : turnedFirst
      ? { value: turned(g, a.value), transposed: false }
      : a;
  return product(g, left, b, [rows!, columns]);
}

function product(g: Graph, a: Operand, b: Operand, shape: readonly number[]): Value {
  const attributes = { transA: { int: a.transposed ? 1 : 0 }, transB: { int: b.transposed ? 1 : 0 } };
  return g.emit('Gemm', [a.value, b.value], { type: 'float32', shape }, attributes);
}

/**
 * A matrix by a long vector: ONNX Runtime adds the products one after the other, which loses digits (262,144 times 0.01
 * is off by 5e-4); as a sum they are added in blocks.
 */
function byVector(g: Graph, { value: matrix, transposed }: Operand, vector: Value): Value {
  const along = transposed ? 0 : 1;
  const shape = [1, 1];
  shape[along] = sizeOf(vector.shape);
  const products = binary(g, 'Mul', matrix, reshape(g, vector, shape));
  return reshape(g, reduce(g, 'ReduceSum', products, [along], false), [
    sizeOf(matrix.shape) / shape[along],
    1,
  ]);
}

/** Of products with so few rows and columns ONNX Runtime adds number by number: 262,144 times 0.01 is off by 5e-4. */
const narrow = 3;

/** Two matrices with few rows and columns, and long sums, which are added in blocks. */
function narrowProduct(g: Graph, a: Operand, b: Operand): Value {
  const left = a.transposed ? transpose(g, a.value, [1, 0]) : a.value;
  const right = b.transposed ? b.value : transpose(g, b.value, [1, 0]);
  const [rows, inner] = left.shape as [number, number];
  const [columns] = right.shape as [number];
  const products = binary(
    g,
    'Mul',
    reshape(g, left, [rows, 1, inner]),
    reshape(g, right, [1, columns, inner]),
  );
  return reduce(g, 'ReduceSum', products, [2], false);
}

/**
 * ONNX Runtime seems to cut sums into pieces of 128, to divide a product that is wider than high among threads by columns,
 * in units of 16, and to give longer pieces to a thread with 64 columns or fewer: rounding depends on the number of
 * threads, but not with `transA`. Found by trying widths (tests/components/engine/steps/threads.test.ts), not in its source.
 */
function variesWithThreads(rows: number, inner: number, columns: number): boolean {
  return inner > 128 && rows < columns && Math.floor(Math.ceil(columns / 16) / mostThreads) * 16 <= 64;
}

/** From this length of the sums on, turning the left matrix first is as fast as Gemm's `transA` or up to a third faster. */
const longSum = 256;

/** A transposed matrix that ONNX Runtime does not recognise as such: it would make it `transA` again. */
function turned(g: Graph, matrix: Value): Value {
  const [rows, columns] = matrix.shape as [number, number];
  const type = matrix.type;
  const asBatch = g.emit('Reshape', [matrix, g.int64([1, rows, columns])], {
    type,
    shape: [1, rows, columns],
  });
  const swapped = { type, shape: [1, columns, rows] };
  const batch = g.emit('Transpose', [asBatch], swapped, { perm: { ints: [0, 2, 1] } });
  return g.emit('Reshape', [batch, g.int64([columns, rows])], { type, shape: [columns, rows] });
}

function asMatrix(g: Graph, { value, transposed }: Operand): Operand {
  return { value: reshape(g, value, value.shape.slice(-2)), transposed };
}

/** A transpose of the last two axes is a flag of the product. */
function absorbTranspose(operand: Operand): Operand {
  const made = transposeOf(operand.value);
  const rank = operand.value.shape.length;
  if (!made) return operand;
  const swapped = [...made.perm.keys()];
  swapped.splice(rank - 2, 2, rank - 1, rank - 2);
  if (made.perm.some((axis, index) => axis !== swapped[index])) return operand;
  return { value: made.source, transposed: !operand.transposed };
}
