import type { Node, Value } from './value.ts';

/**
 * Lets ONNX Runtime compute the terms of a sum in the order in which their inputs become known. It executes nodes in
 * post-order of a depth-first walk from the end, and visits the inputs of a node from the one recorded last to the one
 * recorded first. So the norm of all gradients decides when each weight's gradient is computed: terms that need the
 * least come last here, and a weight's gradient is computed while the gradient of its layer's output is still in the
 * cache. Nothing but the order of independent nodes changes, not even a bit of any result.
 *
 * @param nodes in an order of execution
 */
export function orderSums(nodes: readonly Node[]): Node[] {
  const depths = depthsOf(nodes);
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  const readers = new Map<Value | undefined, number>();
  for (const input of nodes.flatMap((node) => node.inputs)) readers.set(input, (readers.get(input) ?? 0) + 1);
  const terms = new Map<Node, Node[]>();
  for (const sum of nodes.filter(({ op }) => op === 'Sum')) {
    const own = sum.inputs.flatMap((input) => {
      const maker = makers.get(input!);
      // Where others read it too, its place is not ours to choose.
      return maker && maker.outputs.length === 1 && readers.get(input) === 1 ? [maker] : [];
    });
    terms.set(
      sum,
      own.sort((a, b) => depths.get(b)! - depths.get(a)!),
    );
  }
  const moved = new Set([...terms.values()].flat());
  const place = (node: Node): Node[] => [...(terms.get(node) ?? []).flatMap(place), node];
  return nodes.flatMap((node) => (moved.has(node) ? [] : place(node)));
}

/** How many nodes there are on the longest way from the beginning to each, itself included. */
function depthsOf(nodes: readonly Node[]): ReadonlyMap<Node, number> {
  const depths = new Map<Node, number>();
  const known = new Map<Value, number>();
  for (const node of nodes) {
    const depth = 1 + Math.max(0, ...node.inputs.map((input) => (input && known.get(input)) ?? 0));
    depths.set(node, depth);
    for (const value of node.outputs) known.set(value, depth);
  }
  return depths;
}
