import protobuf from 'protobufjs/light.js';

/** A message of protobuf as numbers of fields and their values, without a schema. */
export type Fields = ReadonlyMap<number, readonly (Uint8Array | number)[]>;

/** Decodes one level of a protobuf message. Field numbers are those of onnx.proto3 (onnx 1.17). */
export function decode(bytes: Uint8Array): Fields {
  const fields = new Map<number, (Uint8Array | number)[]>();
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const [field, wire] = [tag >>> 3, tag & 7];
    const values = fields.get(field) ?? [];
    fields.set(field, values);
    if (wire === 0) values.push(Number(reader.int64()));
    else if (wire === 2) values.push(reader.bytes());
    else if (wire === 5) values.push(reader.float());
    else throw new Error(`wire type ${wire}`);
  }
  return fields;
}

export const text = (value: Uint8Array | number | undefined): string =>
  new TextDecoder().decode(value as Uint8Array);

export const messages = (fields: Fields, field: number): Fields[] =>
  (fields.get(field) ?? []).map((bytes) => decode(bytes as Uint8Array));

/** Names of the inputs, outputs and initialisers of a model's graph, and what the model says of itself. */
export function describeModel(bytes: Uint8Array) {
  const model = decode(bytes);
  const graph = messages(model, 7)[0]!;
  const names = (field: number, nameField: number) =>
    messages(graph, field).map((each) => text(each.get(nameField)![0]));
  return {
    irVersion: model.get(1)![0],
    producer: text(model.get(2)![0]),
    opsets: messages(model, 8).map((each) => [text(each.get(1)?.[0] ?? new Uint8Array()), each.get(2)![0]]),
    metadata: Object.fromEntries(
      messages(model, 14).map((each) => [text(each.get(1)![0]), text(each.get(2)![0])]),
    ),
    name: text(graph.get(2)![0]),
    inputs: names(11, 1),
    outputs: names(12, 1),
    initialisers: names(5, 8),
    operators: messages(graph, 1).map((each) => text(each.get(4)![0])),
  };
}
