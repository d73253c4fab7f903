import type { Node, Value } from '../graph/value.ts';

/**
 * The same nodes without `FusedMatMul`, which only ONNX Runtime knows: a product whose operands are transposed first.
 * (ONNX Runtime fuses them again when it loads the model.)
 */
export function withoutFusedProducts(nodes: readonly Node[]): Node[] {
  // Values of the graph count up from 0.
  let nextId = -1;
  const transpose = (value: Value): Node => {
    const axes = value.shape.map((_, axis) => axis);
    const perm = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
    const made: { -readonly [K in keyof Node]: Node[K] } = {
      op: 'Transpose',
      domain: '',
      inputs: [value],
      attributes: { perm: { ints: perm } },
      outputs: [],
    };
    const shape = perm.map((axis) => value.shape[axis]!);
    made.outputs = [
      { id: nextId--, type: value.type, shape, source: { kind: 'node', node: made, index: 0 } },
    ];
    return made;
  };
  return nodes.flatMap((each) => {
    if (each.op !== 'FusedMatMul') return [each];
    if ('alpha' in each.attributes) throw new Error('products are made portable before they are fused');
    const before: Node[] = [];
    const inputs = (['transA', 'transB'] as const).map((name, index) => {
      const value = each.inputs[index]!;
      const attribute = each.attributes[name];
      if (!attribute || !('int' in attribute) || attribute.int === 0) return value;
      const turned = transpose(value);
      before.push(turned);
      return turned.outputs[0]!;
    });
    return [...before, { ...each, op: 'MatMul', domain: '' as const, attributes: {}, inputs }];
  });
}
