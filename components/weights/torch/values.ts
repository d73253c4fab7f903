import type { TensorType } from '../raw.ts';

/**
 * What a pickle can be made of here: plain values and containers, tensors, and records. A record has the name and the
 * state of an object whose code is not there and is never looked for.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleList
  | Tuple
  | Dict
  | Set<PickleValue>
  | Named
  | RecordClass
  | Record
  | Storage
  | StoredTensor;

export type PickleList = PickleValue[];
export type Dict = Map<PickleValue, PickleValue>;

export class Tuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** Something of a Python module that a pickle may name. */
export class Named {
  /** `torch._utils._rebuild_tensor_v2`. */
  readonly name: string;
  /** What stands for a call of it; absent for what is only named, such as a type of storages. */
  readonly call?: (args: readonly PickleValue[]) => PickleValue;

  constructor(name: string, call?: (args: readonly PickleValue[]) => PickleValue) {
    this.name = name;
    if (call) this.call = call;
  }
}

/** A type of storages: of what its elements are. */
export class StorageType extends Named {
  readonly type: TensorType;

  constructor(name: string, type: TensorType) {
    super(name);
    this.type = type;
  }
}

/** A class, or a function that makes objects, of which a pickle makes records. */
export class RecordClass {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export class Record {
  readonly name: string;
  state: PickleValue = null;

  constructor(name: string) {
    this.name = name;
  }
}

/** Values that tensors share, as the file has them. */
export class Storage {
  readonly key: string;
  readonly type: TensorType;
  /** Elements. */
  readonly count: number;
  /** Where it begins in the storage of that key, in elements: old files have views of storages. */
  readonly begin: number;

  constructor(key: string, type: TensorType, count: number, begin = 0) {
    this.key = key;
    this.type = type;
    this.count = count;
    this.begin = begin;
  }
}

/** A tensor as a view of a storage; offset and strides count elements. */
export class StoredTensor {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];

  constructor(storage: Storage, offset: number, shape: readonly number[], stride: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.stride = stride;
  }
}

/** What is wrong with a pickle; the reader of the file adds its name. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
}

/** The bytes end before the pickle does. */
export class PickleEnd extends PickleError {}

/** In words, for messages. */
export function describeValue(value: PickleValue): string {
  if (value === null) return 'None';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'a dict';
  if (value instanceof Set) return 'a set';
  if (value instanceof Tuple) return 'a tuple';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Storage) return 'a storage';
  if (value instanceof StoredTensor) return 'a tensor';
  if (value instanceof Record) return `an object of ${value.name}`;
  if (value instanceof Named || value instanceof RecordClass) return value.name;
  return `a ${typeof value}`;
}
