import protobuf from 'protobufjs/light.js';
import type { ElementType, TypedData } from '../graph/value.ts';

/** Types of tensors in a TensorFlow graph. */
export type TensorflowType = ElementType | 'bfloat16' | 'resource';

/** TensorFlow's numbers of them (`types.proto`). */
export const typeNumbers: { readonly [type in TensorflowType]: number } = {
  float32: 1,
  int32: 3,
  uint8: 4,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  resource: 20,
  uint64: 23,
};

/** What an attribute of a node holds, in the form that protobufjs encodes. */
export interface AttributeValue {
  readonly s?: Uint8Array;
  readonly i?: number;
  readonly f?: number;
  readonly b?: boolean;
  readonly type?: number;
  readonly shape?: object;
  readonly tensor?: object;
  readonly list?: object;
  readonly func?: object;
}

export const attribute = {
  text: (value: string): AttributeValue => ({ s: Buffer.from(value) }),
  int: (value: number): AttributeValue => ({ i: value }),
  float: (value: number): AttributeValue => ({ f: value }),
  bool: (value: boolean): AttributeValue => ({ b: value }),
  type: (value: TensorflowType): AttributeValue => ({ type: typeNumbers[value] }),
  shape: (value: readonly number[]): AttributeValue => ({ shape: shapeOf(value) }),
  ints: (values: readonly number[]): AttributeValue => ({ list: { i: values } }),
  types: (values: readonly TensorflowType[]): AttributeValue => ({
    list: { type: values.map((each) => typeNumbers[each]) },
  }),
  tensor: (type: ElementType, shape: readonly number[], data: TypedData): AttributeValue => ({
    tensor: {
      dtype: typeNumbers[type],
      tensorShape: shapeOf(shape),
      tensorContent: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    },
  }),
  /** A tensor whose elements all are that number, which the file holds once. */
  splat: (type: ElementType, shape: readonly number[], value: number): AttributeValue => ({
    tensor: { dtype: typeNumbers[type], tensorShape: shapeOf(shape), [splatFields[type]]: [value] },
  }),
  call: (name: string): AttributeValue => ({ func: { name } }),
};

const splatFields: { readonly [type in ElementType]: string } = {
  float32: 'floatVal',
  int32: 'intVal',
  uint8: 'intVal',
  bool: 'boolVal',
  int64: 'int64Val',
  uint64: 'uint64Val',
};

function shapeOf(shape: readonly number[]): object {
  return { dim: shape.map((size) => ({ size })) };
}

/**
 * TensorFlow's own optimiser leaves functions with this attribute alone. Otherwise it prepares a step for executing node by
 * node, with operators that XLA has not (`TemporaryVariable`) or can't fuse.
 */
export const untouched = { _tf_data_function: attribute.bool(true) };

export interface NodeDef {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: { readonly [name: string]: AttributeValue };
}

export interface ArgumentDef {
  readonly name: string;
  readonly type: number;
}

export interface FunctionDef {
  readonly signature: {
    readonly name: string;
    readonly inputArg: readonly ArgumentDef[];
    readonly outputArg: readonly ArgumentDef[];
    readonly controlOutput: readonly string[];
    readonly isStateful: boolean;
  };
  readonly attr: { readonly [name: string]: AttributeValue };
  readonly nodeDef: readonly NodeDef[];
  readonly ret: { readonly [output: string]: string };
  readonly controlRet: { readonly [output: string]: string };
}

type Field = readonly [id: number, type: string, rule?: 'repeated' | 'map'];

function message(fields: { readonly [name: string]: Field }, oneof?: string) {
  const entries = Object.entries(fields).map(([name, [id, type, rule]]) => [
    name,
    { id, type, ...(rule === 'map' ? { keyType: 'string' } : rule ? { rule } : {}) },
  ]);
  // Fields of a oneof are written even where they hold false, 0 or ''.
  const oneofs = oneof ? { oneofs: { [oneof]: { oneof: Object.keys(fields) } } } : {};
  return { fields: Object.fromEntries(entries), ...oneofs };
}

/** The part of TensorFlow's protobuf schemas that a SavedModel of our graphs needs. */
const schema = protobuf.Root.fromJSON({
  nested: {
    SavedModel: message({ schemaVersion: [1, 'int64'], metaGraphs: [2, 'MetaGraph', 'repeated'] }),
    // A graph is kept as bytes: messages that follow each other are read as one.
    MetaGraph: message({ info: [1, 'Info'], graphDef: [2, 'bytes'] }),
    Info: message({ tags: [4, 'string', 'repeated'] }),
    GraphDef: message({
      node: [1, 'NodeDef', 'repeated'],
      library: [2, 'Library'],
      versions: [4, 'Versions'],
    }),
    Versions: message({ producer: [1, 'int32'] }),
    Library: message({ function: [1, 'FunctionDef', 'repeated'] }),
    FunctionDef: message({
      signature: [1, 'Signature'],
      nodeDef: [3, 'NodeDef', 'repeated'],
      ret: [4, 'string', 'map'],
      attr: [5, 'Value', 'map'],
      controlRet: [6, 'string', 'map'],
    }),
    Signature: message({
      name: [1, 'string'],
      inputArg: [2, 'Argument', 'repeated'],
      outputArg: [3, 'Argument', 'repeated'],
      isStateful: [17, 'bool'],
      controlOutput: [20, 'string', 'repeated'],
    }),
    Argument: message({ name: [1, 'string'], type: [3, 'int32'] }),
    NodeDef: message({
      name: [1, 'string'],
      op: [2, 'string'],
      input: [3, 'string', 'repeated'],
      attr: [5, 'Value', 'map'],
    }),
    Value: message(
      {
        list: [1, 'List'],
        s: [2, 'bytes'],
        i: [3, 'int64'],
        f: [4, 'float'],
        b: [5, 'bool'],
        type: [6, 'int32'],
        shape: [7, 'Shape'],
        tensor: [8, 'TensorValue'],
        func: [10, 'NameAttrList'],
      },
      'value',
    ),
    NameAttrList: message({ name: [1, 'string'] }),
    List: message({ i: [3, 'int64', 'repeated'], type: [6, 'int32', 'repeated'] }),
    Shape: message({ dim: [2, 'Dim', 'repeated'] }),
    Dim: message({ size: [1, 'int64'] }),
    TensorValue: message({
      dtype: [1, 'int32'],
      tensorShape: [2, 'Shape'],
      tensorContent: [4, 'bytes'],
      floatVal: [5, 'float', 'repeated'],
      intVal: [7, 'int32', 'repeated'],
      int64Val: [10, 'int64', 'repeated'],
      boolVal: [11, 'bool', 'repeated'],
      uint64Val: [17, 'uint64', 'repeated'],
    }),
  },
});

const graphType = schema.lookupType('GraphDef');
const modelType = schema.lookupType('SavedModel');

/** Operators and defaults of attributes as TensorFlow 2.12 and later know them. */
const producer = 1087;

/** A graph as bytes; several, put together, are one graph. */
export function encodeGraph(nodes: readonly NodeDef[], functions: readonly FunctionDef[] = []): Uint8Array {
  return graphType
    .encode({
      node: nodes,
      ...(functions.length > 0 ? { library: { function: functions } } : {}),
      versions: { producer },
    })
    .finish();
}

/** The file `saved_model.pb` of parts of a graph. */
export function encodeSavedModel(parts: readonly Uint8Array[]): Uint8Array {
  const graphDef = Buffer.concat(parts);
  return modelType
    .encode({ schemaVersion: 1, metaGraphs: [{ info: { tags: [servingTag] }, graphDef }] })
    .finish();
}

export const servingTag = 'serve';
