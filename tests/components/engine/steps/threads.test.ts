import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { between } from './support/seeded.ts';
import { compute, type Tensors } from './support/train.ts';

// What ONNX Runtime rounds differently with another number of threads, if it is left to itself: products that are wider
// than high with sums longer than 128 (graph/matmul.ts), and logarithms (graph/elementwise.ts).

/** 96 rows, sums of 544; widths that 2, 3 or 4 threads share in 64 columns or fewer each, or in a little more. */
const products = [112, 128, 192, 256, 288, 304, 320].map((width) => ({
  name: `width ${width}`,
  given: { x: between('left', [96, 544], -1, 1), y: between('right', [544, width], -1, 1) },
  ops: {
    'x y': ({ x, y }: Pair) => tf.matMul(x as Tensor2D, y as Tensor2D),
    "x' y": ({ x, y }: Pair) => tf.matMul(tf.transpose(x) as Tensor2D, y as Tensor2D, true, false),
    "x y'": ({ x, y }: Pair) => tf.matMul(x as Tensor2D, tf.transpose(y) as Tensor2D, false, true),
  },
}));
const logarithms = {
  name: 'logarithms',
  given: { x: between('x', [200_003], 0.001, 1), y: between('y', [200_003], -3, 3) },
  ops: {
    log: ({ x }: Pair) => tf.log(x),
    log1p: ({ x }: Pair) => tf.log1p(x),
    softplus: ({ y }: Pair) => tf.softplus(y),
  },
};

interface Pair {
  readonly x: Tensor;
  readonly y: Tensor;
}

type Case = {
  readonly name: string;
  readonly given: { readonly x: HostTensor; readonly y: HostTensor };
  readonly ops: { readonly [name: string]: (given: Pair) => Tensor };
};

function results({ given, ops }: Case, threads: number): Promise<Tensors> {
  return compute<Pair, { [name: string]: Tensor }, Record<string, never>>({ threads }, {}, given, (_, fed) =>
    Object.fromEntries(Object.entries(ops).map(([name, op]) => [name, op(fed)])),
  );
}

for (const each of [...products, logarithms] as Case[]) {
  test(`${each.name}: ${Object.keys(each.ops).join(', ')} are the same bytes on 1 to 4 threads`, async (t) => {
    const first = await results(each, 1);
    for (const threads of [2, 3, 4]) {
      const again = await results(each, threads);
      const bytes = (all: Tensors, name: string) => Buffer.from(all[name].data.buffer);
      const other = Object.keys(first).filter((name) => !bytes(first, name).equals(bytes(again, name)));
      t.deepEqual(other, [], `${threads} threads`);
    }
  });
}
