import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { fuseProducts } from '../../../components/engine/graph/fuse.ts';
import { liveNodes } from '../../../components/engine/graph/graph.ts';
import { openEngine } from '../../../components/engine/open.ts';
import { traceStep } from '../../../components/engine/record/trace.ts';
import type { HostTensor } from '../../../components/engine/types.ts';
import { random } from '../../../components/nn/random.ts';
import { hostTensor } from '../../../components/nn/tree.ts';

interface Given {
  readonly x: Tensor2D;
  readonly w: Tensor2D;
  readonly b: Tensor;
}

const draw = (name: string, ...shape: number[]) =>
  hostTensor(
    shape,
    Float32Array.from(
      { length: shape.reduce((a, n) => a * n, 1) },
      (
        (r) => () =>
          r.normal()
      )(random(0, name)),
    ),
  );
const given = { x: draw('x', 6, 4), w: draw('w', 4, 5), b: draw('b', 5) };

type Compute = (given: Given) => { readonly [name: string]: Tensor };

/** Operators with their factors, after fusing. */
function operators(compute: Compute): string[] {
  const trace = traceStep({
    name: 'fuse',
    state: {},
    batch: { x: { shape: [6, 4] }, w: { shape: [4, 5] }, b: { shape: [5] } },
    constants: {},
    step: (state, batch) => ({ state, out: compute(batch as Given) }),
  });
  const results = [...trace.outputs.values()];
  return fuseProducts(liveNodes(trace.graph, results), results).map(({ op, inputs, attributes }) => {
    const factors = ['alpha', 'beta'].flatMap((name) => {
      const factor = attributes[name];
      return factor && 'float' in factor ? [`${name} ${factor.float}`] : [];
    });
    return [op, ...(op === 'Gemm' ? [String(inputs.length)] : []), ...factors].join(' ');
  });
}

async function values(name: 'onnx' | 'reference', compute: Compute): Promise<{ [name: string]: HostTensor }> {
  const engine = await openEngine({ name });
  const program = await engine.compile<Record<string, never>, Given, { [name: string]: Tensor }>({
    name: 'fuse',
    state: engine.state({}),
    batch: { x: { shape: [6, 4] }, w: { shape: [4, 5] }, b: { shape: [5] } },
    step: (state, batch) => ({ state, out: compute(batch) }),
  });
  const out = await program.run(given);
  engine.dispose();
  return out as { [name: string]: HostTensor };
}

const cases: { readonly [title: string]: { readonly compute: Compute; readonly ops: readonly string[] } } = {
  'a bias is part of the product': {
    compute: ({ x, w, b }) => ({ y: tf.add(tf.matMul(x, w), b) }),
    ops: ['Gemm 3'],
  },
  'a bias behind a reshape too': {
    compute: ({ x, w, b }) => ({ y: tf.add(tf.reshape(tf.matMul(x, w), [2, 3, 5]), b) }),
    ops: ['Gemm 3', 'Reshape'],
  },
  'a bias that is made after the product': {
    compute: ({ x, w, b }) => {
      const y = tf.matMul(x, w);
      return { y: tf.add(y, tf.exp(b)) };
    },
    ops: ['Exp', 'Gemm 3'],
  },
  'a factor behind product and bias is a factor of both': {
    compute: ({ x, w, b }) => ({ y: tf.exp(tf.mul(tf.add(tf.matMul(x, w), b), 3)) }),
    ops: ['Gemm 3 alpha 3 beta 3', 'Exp'],
  },
  'a factor in front of products is theirs, but not of the bias': {
    compute: ({ x, w, b }) => {
      const scaled = tf.mul(tf.exp(x), 3) as Tensor2D;
      return { y: tf.add(tf.matMul(scaled, w), b), z: tf.matMul(w, scaled, true, true) };
    },
    ops: ['Exp', 'Gemm 3 alpha 3', 'Gemm 2 alpha 3'],
  },
  'factors multiply': {
    compute: ({ x, w }) => ({ y: tf.sin(tf.mul(tf.matMul(tf.mul(tf.exp(x), 3) as Tensor2D, w), 0.5)) }),
    ops: ['Exp', 'Gemm 2 alpha 1.5', 'Sin'],
  },
  'a product that is read twice stays as it is': {
    compute: ({ x, w, b }) => {
      const y = tf.matMul(x, w);
      return { y: tf.add(tf.add(y, b), tf.exp(y)), z: tf.sin(tf.mul(y, 3)) };
    },
    ops: ['Gemm 2', 'Add', 'Exp', 'Add', 'Mul', 'Sin'],
  },
  'a factor of something that also leaves the graph stays': {
    compute: ({ x, w }) => {
      const scaled = tf.mul(tf.exp(x), 3) as Tensor2D;
      return { y: tf.matMul(scaled, w), z: scaled };
    },
    ops: ['Exp', 'Mul', 'Gemm 2'],
  },
  'a factor on both sides of a product stays': {
    compute: ({ x }) => {
      const scaled = tf.mul(tf.exp(x), 3) as Tensor2D;
      return { y: tf.matMul(scaled, scaled, false, true) };
    },
    ops: ['Exp', 'Mul', 'Gemm 2'],
  },
  'a sum that is larger than the product is none with a bias': {
    compute: ({ x, w, b }) => ({ y: tf.add(tf.dot(tf.sum(x, 0), tf.sum(w, 1)), tf.slice(b, 0, 1)) }),
    ops: ['ReduceSum', 'ReduceSum', 'Reshape', 'Reshape', 'Gemm 2', 'Reshape', 'Slice', 'Add'],
  },
  'a factor that could overflow stays where it is': {
    compute: ({ x, w }) => ({ y: tf.sin(tf.matMul(tf.mul(tf.exp(x), 1e-20) as Tensor2D, w)) }),
    ops: ['Exp', 'Mul', 'Gemm 2', 'Sin'],
  },
  'a factor of a value that meets itself, moved, stays': {
    compute: ({ x }) => {
      const scaled = tf.mul(tf.exp(x), 3);
      return { y: tf.matMul(tf.reshape(scaled, [6, 4]), tf.reshape(scaled, [4, 6])) };
    },
    ops: ['Exp', 'Mul', 'Reshape', 'Gemm 2'],
  },
  'batched products have factors too': {
    compute: ({ x }) => {
      const batch = tf.reshape(tf.exp(x), [2, 3, 4]);
      return { y: tf.sin(tf.mul(tf.matMul(tf.mul(batch, 3), tf.sin(batch), false, true), 2)) };
    },
    ops: ['Exp', 'Reshape', 'Sin', 'FusedMatMul alpha 6', 'Sin'],
  },
  'a column of numbers is no bias': {
    compute: ({ x, w }) => ({ y: tf.add(tf.matMul(x, w), tf.sum(x, 1, true)) }),
    ops: ['Gemm 2', 'ReduceSum', 'Add'],
  },
};

for (const [title, { compute, ops }] of Object.entries(cases)) {
  test(title, async (t) => {
    t.deepEqual(operators(compute), [...ops]);
    const [fused, expected] = await Promise.all([values('onnx', compute), values('reference', compute)]);
    for (const [name, { data, shape }] of Object.entries(expected)) {
      t.deepEqual(fused[name]!.shape, shape);
      for (const [i, value] of [...data].entries()) {
        t.true(Math.abs(fused[name]!.data[i]! - value) < 1e-5 * (1 + Math.abs(value)), `${name}[${i}]`);
      }
    }
  });
}
