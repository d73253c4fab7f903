import type { ElementType, TypedData } from '../graph/value.ts';
import type { AttributeValue, NodeDef, TensorflowType } from './graph-def.ts';
import { attribute } from './graph-def.ts';
import type { TensorflowOp } from './op-table.ts';
import { signatureOf } from './op-table.ts';

/** One output of a node, or an argument of the function that the nodes are in. */
export interface Ref {
  /** How a node names it as its input. */
  readonly text: string;
  readonly type: TensorflowType;
  readonly shape: readonly number[];
}

type AttributeValues = { readonly [name: string]: AttributeValue };

/**
 * Collects the nodes of a graph or, with `inFunction`, of a function, where outputs are named by their arguments.
 * Type attributes are derived from the inputs. Names begin with `prefix`.
 */
export class GraphBuilder {
  readonly nodes: NodeDef[] = [];
  /** What the nodes give, by name. */
  readonly refs = new Map<string, Ref>();
  readonly inFunction: boolean;
  private readonly prefix: string;
  private readonly constants = new Map<string, Ref>();

  constructor(prefix: string, inFunction: boolean) {
    this.prefix = prefix;
    this.inFunction = inFunction;
  }

  /** Adds a node with one output of this shape. */
  add(
    op: TensorflowOp,
    inputs: readonly Ref[],
    shape: readonly number[],
    attributes: AttributeValues = {},
    options: {
      readonly type?: TensorflowType;
      readonly after?: readonly string[];
      readonly name?: string;
    } = {},
  ): Ref {
    const { type, ...rest } = options;
    const output = { shape, ...(type === undefined ? {} : { type }) };
    return this.addAll(op, inputs, [output], attributes, rest)[0]!;
  }

  /**
   * Adds a node with several outputs. An output's type is that of the inputs that share its type attribute; where it has
   * an attribute of its own, `type` gives it.
   */
  addAll(
    op: TensorflowOp,
    inputs: readonly Ref[],
    outputs: readonly { readonly shape: readonly number[]; readonly type?: TensorflowType }[],
    attributes: AttributeValues = {},
    {
      after = [],
      name = this.nameFor(op),
    }: { readonly after?: readonly string[]; readonly name?: string } = {},
  ): Ref[] {
    const signature = signatureOf(op);
    const types = new Map<string, TensorflowType>();
    const attr: Record<string, AttributeValue> = { ...attributes };
    let next = 0;
    for (const argument of signature.inputs) {
      const { typeAttribute, countAttribute, typesAttribute } = argument;
      if (typesAttribute) {
        attr[typesAttribute] = attribute.types(inputs.slice(next).map((each) => each.type));
        next = inputs.length;
        continue;
      }
      const count = countAttribute ? inputs.length - signature.inputs.length + 1 : 1;
      if (countAttribute) attr[countAttribute] = attribute.int(count);
      if (typeAttribute) types.set(typeAttribute, inputs[next]!.type);
      next += count;
    }
    const made = outputs.map(({ shape, type }, index): Ref => {
      // A list of outputs is the last that an operator has.
      const argument = signature.outputs[Math.min(index, signature.outputs.length - 1)]!;
      const own = type ?? argument.type ?? types.get(argument.typeAttribute ?? '')!;
      if (argument.typeAttribute) types.set(argument.typeAttribute, own);
      const text = this.inFunction ? `${name}:${argument.name}:0` : index === 0 ? name : `${name}:${index}`;
      return { text, type: own, shape };
    });
    for (const [key, type] of types) attr[key] = attribute.type(type);
    const input = [...inputs.map(({ text }) => text), ...after.map((each) => `^${each}`)];
    this.nodes.push({ name, op, input, attr });
    for (const ref of made) this.refs.set(ref.text, ref);
    return made;
  }

  constant(type: ElementType, shape: readonly number[], data: TypedData): Ref {
    return this.add('Const', [], shape, { value: attribute.tensor(type, shape, data) }, { type });
  }

  splat(type: ElementType, shape: readonly number[], value: number): Ref {
    const key = `${type} [${shape}] ${Object.is(value, -0) ? '-0' : value}`;
    return this.once(key, () =>
      this.add('Const', [], shape, { value: attribute.splat(type, shape, value) }, { type }),
    );
  }

  /** Shapes, axes and the like: always int32, since int64 would lie in a GPU's memory. */
  ints(values: readonly number[], shape: readonly number[] = [values.length]): Ref {
    return this.once(`ints [${shape}] ${values}`, () =>
      this.constant('int32', shape, Int32Array.from(values)),
    );
  }

  int(value: number): Ref {
    return this.ints([value], []);
  }

  nameFor(op: string): string {
    return `${this.prefix}${op}_${this.nodes.length}`;
  }

  private once(key: string, make: () => Ref): Ref {
    const found = this.constants.get(key);
    if (found) return found;
    const made = make();
    this.constants.set(key, made);
    return made;
  }
}

/** The name of the node that makes a value. */
export function nodeName({ text }: Ref): string {
  return text.split(':')[0]!;
}
