import protobuf from 'protobufjs/light.js';
import { onnxTypes } from '../graph/elementwise.ts';
import type { Attribute, Node, TypedData, Value, ValueType } from '../graph/value.ts';
import { sizeOf } from '../graph/value.ts';
import type { Endpoint } from '../record/needed.ts';
import { EngineError } from '../types.ts';

/** The part of ONNX's protobuf schema (onnx.proto3) that a recorded graph needs. */
const schema = protobuf.Root.fromJSON({
  nested: {
    Model: message({
      irVersion: [1, 'int64'],
      producerName: [2, 'string'],
      docString: [6, 'string'],
      graph: [7, 'Graph'],
      opsetImport: [8, 'Opset', 'repeated'],
      metadataProps: [14, 'Entry', 'repeated'],
    }),
    Entry: message({ key: [1, 'string'], value: [2, 'string'] }),
    Opset: message({ domain: [1, 'string'], version: [2, 'int64'] }),
    Graph: message({
      node: [1, 'Node', 'repeated'],
      name: [2, 'string'],
      initializer: [5, 'Tensor', 'repeated'],
      input: [11, 'ValueInfo', 'repeated'],
      output: [12, 'ValueInfo', 'repeated'],
    }),
    Node: message({
      input: [1, 'string', 'repeated'],
      output: [2, 'string', 'repeated'],
      name: [3, 'string'],
      opType: [4, 'string'],
      attribute: [5, 'Attribute', 'repeated'],
      domain: [7, 'string'],
    }),
    Attribute: message({
      name: [1, 'string'],
      f: [2, 'float'],
      i: [3, 'int64'],
      s: [4, 'bytes'],
      ints: [8, 'int64', 'repeated'],
      type: [20, 'int32'],
    }),
    Tensor: message({
      dims: [1, 'int64', 'repeated'],
      dataType: [2, 'int32'],
      name: [8, 'string'],
      rawData: [9, 'bytes'],
    }),
    ValueInfo: message({ name: [1, 'string'], type: [2, 'Type'] }),
    Type: message({ tensorType: [1, 'TensorType'] }),
    TensorType: message({ elemType: [1, 'int32'], shape: [2, 'Shape'] }),
    Shape: message({ dim: [1, 'Dim', 'repeated'] }),
    Dim: message({ dimValue: [1, 'int64'] }),
  },
});

const modelType = schema.lookupType('Model');

type Field = readonly [id: number, type: string, rule?: 'repeated'];

function message(fields: { readonly [name: string]: Field }) {
  return {
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, [id, type, rule]]) => [
        name,
        rule ? { id, type, rule } : { id, type },
      ]),
    ),
  };
}

/** Operators as ONNX defined them in this version; ONNX Runtime has known it since 1.20. */
const opset = 21;
const irVersion = 10;

/** Splats up to this size are written out; larger ones are expanded when the model is loaded. */
const largestWrittenSplat = 1024;

export interface ModelContents {
  readonly name: string;
  /** In the order of execution. */
  readonly nodes: readonly Node[];
  readonly inputs: readonly Endpoint[];
  readonly outputs: readonly Endpoint[];
  /** Inputs of the graph that get a value for good. */
  readonly baked?: readonly (Endpoint & { readonly data: TypedData })[];
  readonly doc?: string;
  readonly metadata?: { readonly [key: string]: string };
}

/** protobuf's limit of a message; ONNX Runtime fails without a word of sense beyond it. */
const mostBytes = 2 ** 31 - 1;

/**
 * A graph as the bytes of an ONNX model.
 * Throws EngineError if its constants are more than a model can hold (2 GiB).
 */
export function encodeModel(contents: ModelContents): Uint8Array {
  const { name, nodes, inputs, outputs, baked = [], doc, metadata = {} } = contents;
  checkSize(contents);
  const initializer: object[] = baked.map((each) => tensor(each.name, each.value, each.data));
  const expansions: object[] = [];
  const names = new Map<number, string>([...inputs, ...baked].map((each) => [each.value.id, each.name]));
  const nameOf = (value: Value): string => {
    const known = names.get(value.id);
    if (known !== undefined) return known;
    const made = `v${value.id}`;
    names.set(value.id, made);
    const { source } = value;
    if (source.kind === 'constant') initializer.push(tensor(made, value, source.data));
    if (source.kind === 'splat') writeSplat(made, value, source.value, initializer, expansions);
    return made;
  };
  // A value that a node makes gets the output's name. Every other output (an input, a constant, a value for the second
  // time) needs a copy.
  const results: object[] = [];
  for (const { name: output, value } of outputs) {
    if (value.source.kind === 'node' && !names.has(value.id)) names.set(value.id, output);
    else
      results.push({
        input: [nameOf(value)],
        output: [output],
        name: `Output_${output}`,
        opType: 'Identity',
      });
  }
  const encoded = nodes.map((node, index) => ({
    input: node.inputs.map((input) => (input ? nameOf(input) : '')),
    output: node.outputs.map(nameOf),
    name: `${node.op}_${index}`,
    opType: node.op,
    domain: node.domain,
    attribute: Object.entries(node.attributes).map(([key, attribute]) => encodeAttribute(key, attribute)),
  }));
  const graph = {
    name,
    node: [...expansions, ...encoded, ...results],
    initializer,
    input: inputs.map(valueInfo),
    output: outputs.map(valueInfo),
  };
  const domains = new Set(['', ...nodes.map(({ domain }) => domain)]);
  const opsetImport = [...domains].map((domain) => ({ domain, version: domain === '' ? opset : 1 }));
  const metadataProps = Object.entries(metadata).map(([key, value]) => ({ key, value }));
  const model = { irVersion, producerName: 'peco-exp', docString: doc, graph, opsetImport, metadataProps };
  return modelType.encode(model).finish();
}

/** Constants are nearly all of a model that is too big; the rest is some hundred bytes a node. */
function checkSize({ name, nodes, baked = [] }: ModelContents): void {
  const constants = new Set<TypedData>(baked.map(({ data }) => data));
  for (const input of nodes.flatMap(({ inputs }) => inputs)) {
    if (input?.source.kind === 'constant') constants.add(input.source.data);
  }
  const bytes = [...constants].reduce((sum, { byteLength }) => sum + byteLength, nodes.length * 500);
  if (bytes <= mostBytes) return;
  throw new EngineError(
    `program '${name}': its constants take ${(bytes / 2 ** 30).toFixed(1)} GiB, but an ONNX model can hold less than 2: ` +
      'make them part of the state (what a step returns as it came costs nothing)',
  );
}

function writeSplat(
  name: string,
  type: ValueType,
  value: number,
  initializer: object[],
  expansions: object[],
): void {
  const size = sizeOf(type.shape);
  if (size <= largestWrittenSplat) {
    initializer.push(tensor(name, type, splatData(type, value, size)));
    return;
  }
  const shape = BigInt64Array.from(type.shape, (length) => BigInt(length));
  initializer.push(tensor(`${name}_value`, { type: type.type, shape: [] }, splatData(type, value, 1)));
  initializer.push(tensor(`${name}_shape`, { type: 'int64', shape: [shape.length] }, shape));
  expansions.push({
    input: [`${name}_value`, `${name}_shape`],
    output: [name],
    name: `Expand_${name}`,
    opType: 'Expand',
  });
}

function splatData({ type }: ValueType, value: number, size: number): TypedData {
  if (type === 'float32') return new Float32Array(size).fill(value);
  if (type === 'int32') return new Int32Array(size).fill(value);
  if (type === 'bool' || type === 'uint8') return new Uint8Array(size).fill(value);
  return new BigInt64Array(size).fill(BigInt(value));
}

function tensor(name: string, { type, shape }: ValueType, data: TypedData): object {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dataType: onnxTypes[type], dims: shape, rawData };
}

function valueInfo({ name, value }: Endpoint): object {
  const shape = { dim: value.shape.map((dimValue) => ({ dimValue })) };
  return { name, type: { tensorType: { elemType: onnxTypes[value.type], shape } } };
}

function encodeAttribute(name: string, attribute: Attribute): object {
  if ('float' in attribute) return { name, type: 1, f: attribute.float };
  if ('int' in attribute) return { name, type: 2, i: attribute.int };
  if ('text' in attribute) return { name, type: 3, s: new TextEncoder().encode(attribute.text) };
  return { name, type: 7, ints: attribute.ints };
}
