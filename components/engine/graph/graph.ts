import { createHash } from 'node:crypto';
import { EngineError } from '../types.ts';
import type { Attributes, Domain, ElementType, Node, Source, TypedData, Value, ValueType } from './value.ts';
import { isForeign, sizeOf } from './value.ts';

/** An operator that is about to be recorded. */
export interface Wanted {
  readonly op: string;
  readonly domain: Domain;
  readonly inputs: readonly (Value | undefined)[];
  /** Types of its outputs. */
  readonly outputs: readonly ValueType[];
  readonly attributes: Attributes;
}

/** Records other operators that do the same; undefined where the operator itself will do. */
export type Rewrite = (g: Graph, wanted: Wanted) => readonly Value[] | undefined;

/** What executes a graph: each is spared the others' detours. */
export interface Target {
  /** It adds number by number, so that long sums lose digits: they are recorded in blocks. */
  readonly losesDigits: boolean;
  /** Threads divide work in ways that change bytes: what is known to do so is recorded otherwise. */
  readonly variesWithThreads: boolean;
  /** It has TensorFlow's operators. */
  readonly isTensorflow: boolean;
  /** By operator: what is recorded in the place of those that it lacks, or gets wrong. */
  readonly rewrites: { readonly [op: string]: Rewrite };
}

/** ONNX Runtime on the CPU. */
export const onnxTarget: Target = {
  losesDigits: true,
  variesWithThreads: true,
  isTensorflow: false,
  rewrites: {},
};

/** Equal constants are shared, so that what is computed from them is too; frozen weights are not worth the time. */
const largestSharedConstant = 2 ** 20;

/**
 * The recorded computation: values in static single assignment form, in the order of their making.
 * The same node on the same inputs is recorded once (common subexpressions).
 */
export class Graph {
  readonly nodes: Node[] = [];
  readonly target: Target;
  private nextId = 0;
  private readonly known = new Map<string, readonly Value[]>();

  constructor(target: Target = onnxTarget) {
    this.target = target;
  }

  /** A value that the caller of the finished model gives. */
  input(name: string, type: ElementType, shape: readonly number[]): Value {
    return this.value({ kind: 'input', name }, type, shape);
  }

  /** A value known while recording. A constant whose elements are all equal becomes a splat, which costs nothing. */
  constant(data: TypedData, type: ElementType, shape: readonly number[]): Value {
    if (data.length !== sizeOf(shape)) {
      throw new EngineError(
        `a constant of shape [${shape}] needs ${sizeOf(shape)} values, it has ${data.length}`,
      );
    }
    if (data.length > 0 && !isForeign(type) && data.every((value) => Object.is(value, data[0]))) {
      return this.splat(Number(data[0]), type, shape);
    }
    if (data.length > largestSharedConstant) return this.value({ kind: 'constant', data }, type, shape);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const digest = createHash('sha256').update(bytes).digest('base64');
    return this.shared(`constant ${type} [${shape}] ${digest}`, () => [
      this.value({ kind: 'constant', data }, type, shape),
    ])[0]!;
  }

  /** A tensor with the same number everywhere. */
  splat(value: number, type: ElementType, shape: readonly number[]): Value {
    const key = Object.is(value, -0) ? '-0' : String(value);
    return this.shared(`splat ${type} [${shape}] ${key}`, () => [
      this.value({ kind: 'splat', value }, type, shape),
    ])[0]!;
  }

  /** Shapes, axes and other int64 operands of ONNX operators. */
  int64(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    return this.constant(
      BigInt64Array.from(values, (value) => BigInt(value)),
      'int64',
      shape,
    );
  }

  /** Records an ONNX operator with one output. */
  emit(
    op: string,
    inputs: readonly (Value | undefined)[],
    output: ValueType,
    attributes: Attributes = {},
    domain: Domain = '',
  ): Value {
    return this.emitAll(op, inputs, [output], attributes, domain)[0]!;
  }

  /** Records an ONNX operator with several outputs, or what the target has in its place. */
  emitAll(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly ValueType[],
    attributes: Attributes = {},
    domain: Domain = '',
  ): readonly Value[] {
    const instead = this.target.rewrites[op]?.(this, { op, domain, inputs, outputs, attributes });
    if (instead) return instead;
    const ids = inputs.map((value) => value?.id ?? '').join(',');
    const key = `${domain}.${op}(${ids}) ${JSON.stringify(attributes)} ${outputs.map((o) => o.type)}`;
    return this.shared(key, () => {
      const node: { -readonly [K in keyof Node]: Node[K] } = { op, domain, inputs, attributes, outputs: [] };
      node.outputs = outputs.map(({ type, shape }, index) =>
        this.value({ kind: 'node', node, index }, type, shape),
      );
      this.nodes.push(node);
      return node.outputs;
    });
  }

  private shared(key: string, make: () => readonly Value[]): readonly Value[] {
    const found = this.known.get(key);
    if (found) return found;
    const made = make();
    this.known.set(key, made);
    return made;
  }

  private value(source: Source, type: ElementType, shape: readonly number[]): Value {
    return { id: this.nextId++, type, shape: [...shape], source };
  }
}

/** The nodes that `outputs` need, in order. */
export function liveNodes(graph: Graph, outputs: readonly Value[]): Node[] {
  const live = new Set<Node>();
  const visit = (value: Value | undefined) => {
    if (value?.source.kind === 'node') live.add(value.source.node);
  };
  outputs.forEach(visit);
  for (let index = graph.nodes.length - 1; index >= 0; index--) {
    const node = graph.nodes[index]!;
    if (live.has(node)) node.inputs.forEach(visit);
  }
  return graph.nodes.filter((node) => live.has(node)).map((node) => withoutPlaces(node, outputs, live));
}

/** MaxPool without the places of its maxima, if nothing reads them: ONNX Runtime has a far faster kernel for that. */
function withoutPlaces(node: Node, outputs: readonly Value[], live: ReadonlySet<Node>): Node {
  const [values, places] = node.outputs;
  if (node.op !== 'MaxPool' || !places || outputs.includes(places)) return node;
  const isRead = [...live].some(({ inputs }) => inputs.includes(places));
  return isRead ? node : { ...node, outputs: [values!] };
}
