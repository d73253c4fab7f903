import type { Node, Value } from '../graph/value.ts';
import { EngineError } from '../types.ts';
import type { GraphBuilder, Ref } from './builder.ts';
import { elementwiseOperators } from './operators/elementwise.ts';
import { nativeOperators } from './operators/native.ts';
import type { Operator, Operators, Precision } from './operators/operator.ts';
import { poolOperators } from './operators/pool.ts';
import { productOperators } from './operators/products.ts';
import { reduceOperators } from './operators/reduce.ts';
import { shapeOperators } from './operators/shape.ts';

/** Each operator of a recorded graph: ONNX's by its name, TensorFlow's own by `tensorflow.NAME`. */
const operators: Operators = {
  ...elementwiseOperators,
  ...shapeOperators,
  ...reduceOperators,
  ...productOperators,
  ...poolOperators,
  ...nativeOperators,
};

/** Turns values of a recorded graph into nodes of a TensorFlow graph. */
export class Translator {
  private readonly builder: GraphBuilder;
  private readonly precision: Precision;
  private readonly refs = new Map<number, Ref>();

  /** `given`: inputs of the graph, and constants that are kept elsewhere. */
  constructor(builder: GraphBuilder, given: Iterable<readonly [Value, Ref]>, precision: Precision) {
    this.builder = builder;
    this.precision = precision;
    for (const [value, ref] of given) this.refs.set(value.id, ref);
  }

  /** Nodes in an order of execution. */
  translate(nodes: readonly Node[]): void {
    for (const node of nodes) {
      const operator = operatorOf(node);
      const inputs = node.inputs.map((value) => value && this.refOf(value));
      const results = operator({ b: this.builder, node, inputs: inputs as Ref[], precision: this.precision });
      const list = 'text' in results ? [results] : results;
      node.outputs.forEach((value, index) => {
        const ref = list[index]!;
        this.refs.set(value.id, this.typed(ref, value));
      });
    }
  }

  refOf(value: Value): Ref {
    const known = this.refs.get(value.id);
    if (known) return known;
    const { source, type, shape } = value;
    if (source.kind !== 'constant' && source.kind !== 'splat')
      throw new Error(`value ${value.id} (${source.kind}) comes before what makes it`);
    const ref =
      source.kind === 'constant'
        ? this.builder.constant(type, shape, source.data)
        : this.builder.splat(type, shape, source.value);
    this.refs.set(value.id, ref);
    return ref;
  }

  /** ONNX counts places in int64, TensorFlow in int32. */
  private typed(ref: Ref, { type, shape }: Value): Ref {
    if (ref.type === type) return ref.shape.length === shape.length ? ref : { ...ref, shape };
    return this.builder.add('Cast', [ref], shape, {}, { type });
  }
}

function operatorOf({ op, domain }: Node): Operator {
  const name = domain === 'tensorflow' ? `tensorflow.${op}` : op;
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (!operator) throw new EngineError(`the operator ${name} has no counterpart in TensorFlow`);
  return operator;
}
