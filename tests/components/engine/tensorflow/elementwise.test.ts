import test from 'ava';
import { GraphBuilder, type Ref } from '../../../../components/engine/tensorflow/builder.ts';
import { sourceOf } from '../../../../components/engine/tensorflow/elementwise-groups.ts';
import { fuseElementwise } from '../../../../components/engine/tensorflow/fuse-elementwise.ts';
import type { NodeDef } from '../../../../components/engine/tensorflow/graph-def.ts';
import { uniform } from '../support/arbitrary.ts';

const large = [1024, 1024];
const input = (b: GraphBuilder, shape = large) => b.add('Placeholder', [], shape, {}, { type: 'float32' });
const ops = (nodes: readonly NodeDef[]) => nodes.map(({ op }) => op).filter((op) => op !== 'Placeholder');

/** m and v of a weight, and the weight, one step further. */
function update(b: GraphBuilder, shape = large): readonly Ref[] {
  const [g, m, v] = [input(b, shape), input(b, shape), input(b, shape)];
  const scaled = (x: Ref, by: number) => b.add('Mul', [x, b.splat('float32', [], by)], shape);
  const first = b.add('AddV2', [scaled(m, 0.9), scaled(g, 0.1)], shape);
  const second = b.add('AddV2', [scaled(v, 0.99), scaled(b.add('Mul', [g, g], shape), 0.01)], shape);
  const results = [first, second, b.add('RealDiv', [first, b.add('Sqrt', [second], shape)], shape)];
  for (const result of results) b.add('Identity', [result], shape);
  return results;
}

test('the update of a weight is one call; equal ones are one function', (t) => {
  const b = new GraphBuilder('p0/', false);
  update(b);
  update(b);
  const { nodes, functions } = fuseElementwise(b);
  t.is(functions.length, 1);
  const [{ signature, nodeDef }] = functions as [(typeof functions)[0]];
  t.deepEqual([signature.inputArg.length, signature.outputArg.length], [3, 3]);
  t.is(nodeDef.filter(({ op }) => op !== 'Const').length, 9);
  const calls = nodes.filter(({ op }) => op === 'StatefulPartitionedCall');
  t.is(new Set(calls.map(({ attr }) => JSON.stringify(attr.f))).size, 1);
  t.is(calls.length, 2);
  for (const call of calls) {
    const readers = nodes.filter(
      ({ op, input: [from] }) => op === 'Identity' && sourceOf(from!) === call.name,
    );
    t.deepEqual(
      readers.map(({ input: [from] }) => from),
      [call.name, `${call.name}:1`, `${call.name}:2`],
    );
  }
});

test('small tensors and scalars stay as they are', (t) => {
  const b = new GraphBuilder('p0/', false);
  update(b, [16, 16]);
  const x = input(b, []);
  b.add('Mul', [b.add('AddV2', [x, x], []), x], []);
  const { nodes, functions } = fuseElementwise(b);
  t.deepEqual(functions, []);
  t.deepEqual(ops(nodes), ops(b.nodes));
});

test('a bias and the ReLU after it stay with their product, where nothing else reads that', (t) => {
  const b = new GraphBuilder('p0/', false);
  const [x, w, bias] = [input(b), input(b), input(b, [1024])];
  const layer = (product: Ref) => {
    const active = b.add('Relu', [b.add('AddV2', [product, bias], large)], large);
    const slope = b.add('Mul', [active, active], large);
    b.add('Identity', [b.add('AddV2', [slope, w], large)], large);
  };
  layer(b.add('MatMul', [x, w], large));
  const before = b.nodes.length;
  const product = b.add('MatMul', [w, x], large);
  b.add('Identity', [product], large);
  layer(product);
  const { nodes, functions } = fuseElementwise(b);
  const opsOf = ({ nodeDef }: (typeof functions)[0]) => nodeDef.map(({ op }) => op);
  t.deepEqual(functions.map(opsOf), [
    ['Mul', 'AddV2'],
    ['AddV2', 'Relu', 'Mul', 'AddV2'],
  ]);
  const kept = b.nodes.slice(0, before).filter(({ op }) => op === 'Relu');
  t.true(kept.every(({ name }) => nodes.some((node) => node.name === name)));
});

test('no call waits for itself, and all that is read is made, in graphs at random', (t) => {
  for (let seed = 0; seed < 30; seed++) {
    const b = new GraphBuilder('p0/', false);
    const made = [input(b), input(b)];
    const pick = (index: number) => made[Math.floor(uniform(seed, index) ** 0.5 * made.length)]!;
    for (let index = 0; index < 40; index++) {
      const op = uniform(seed, 1000 + index) < 0.7 ? 'AddV2' : 'MatMul';
      made.push(b.add(op, [pick(2000 + index), pick(3000 + index)], large));
    }
    const { nodes } = fuseElementwise(b);
    const waiting = new Map(nodes.map((node) => [node.name, node]));
    let before = Number.POSITIVE_INFINITY;
    while (waiting.size < before) {
      before = waiting.size;
      for (const { name, input: from } of waiting.values())
        if (from.every((each) => !waiting.has(sourceOf(each)))) waiting.delete(name);
    }
    t.is(waiting.size, 0, `seed ${seed}`);
    const names = new Set(nodes.map(({ name }) => name));
    t.true(nodes.every((node) => node.input.every((each) => names.has(sourceOf(each)))));
    t.true(nodes.some(({ op }) => op === 'StatefulPartitionedCall'));
  }
});
