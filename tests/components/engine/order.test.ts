import test from 'ava';
import fc from 'fast-check';
import { Graph } from '../../../components/engine/graph/graph.ts';
import { orderSums } from '../../../components/engine/graph/order.ts';
import type { Node, Value } from '../../../components/engine/graph/value.ts';

const scalar = { type: 'float32', shape: [] } as const;

/** True if every node comes after all that it reads. */
function isOrdered(nodes: readonly Node[]): boolean {
  const made = new Set<Value>();
  return nodes.every((node) => {
    const ready = node.inputs.every((input) => input?.source.kind !== 'node' || made.has(input));
    for (const value of node.outputs) made.add(value);
    return ready;
  });
}

test('terms of a sum that need more come first, since ONNX Runtime computes them last', (t) => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', []);
  // As in a backward pass: each layer's gradient needs that of the layer above it.
  const top = graph.emit('Neg', [x], scalar);
  const middle = graph.emit('Exp', [top], scalar);
  const bottom = graph.emit('Sin', [middle], scalar);
  // In the order of parameters, which is not that of the layers.
  const terms = [middle, top, bottom].map((value) => graph.emit('Abs', [value], scalar));
  const sum = graph.emit('Sum', terms, scalar);
  const nodes = orderSums(graph.nodes);
  const orderOf = nodes.flatMap(({ op, outputs }) => (op === 'Abs' ? [terms.indexOf(outputs[0]!)] : []));
  t.deepEqual(orderOf, [2, 0, 1]);
  t.is(nodes.at(-1)!.outputs[0], sum);
  t.deepEqual(nodes.at(-1)!.inputs, terms);
});

test('whatever is summed, all nodes are there once and after what they read', (t) => {
  const made = fc.array(
    fc.tuple(fc.constantFrom('Neg', 'Abs', 'Sum'), fc.array(fc.nat(), { minLength: 1 })),
    {
      maxLength: 30,
    },
  );
  fc.assert(
    fc.property(made, (recipe) => {
      const graph = new Graph();
      const values = [graph.input('x', 'float32', [])];
      for (const [op, reads] of recipe) {
        const inputs = reads.map((read) => values[read % values.length]!);
        values.push(graph.emit(op, op === 'Sum' ? inputs : inputs.slice(0, 1), scalar));
      }
      const ordered = orderSums(graph.nodes);
      t.true(graph.nodes.every((node) => ordered.includes(node)));
      t.is(ordered.length, graph.nodes.length);
      t.true(isOrdered(ordered));
    }),
  );
});
