import { printable } from '../../../framework/stage/text.ts';
import type { TensorType } from '../raw.ts';
import {
  describeValue,
  Named,
  PickleError,
  type PickleValue,
  RecordClass,
  Storage,
  StorageType,
  StoredTensor,
  Tuple,
} from './values.ts';

/**
 * What a file of weights may have for a name of a Python module. Everything else is refused by its name: `os.system`,
 * `builtins.eval`, `torch.hub.load`, `torch.storage._load_from_bytes` and the like can't even be mentioned.
 *
 * @throws PickleError
 */
export function nameOf(module: string, name: string): Named | RecordClass {
  const full = `${OLD_MODULES.get(module) ?? module}.${name}`;
  const known = NAMES.get(full);
  if (known) return known;
  if (RECORDS.some((pattern) => pattern.test(full))) return new RecordClass(full);
  throw new PickleError(
    `its pickle names ${shorten(full)}, which weights are not made of; nothing of it was run`,
  );
}

/** Names that Python 2 had for modules. */
const OLD_MODULES: ReadonlyMap<string, string> = new Map([
  ['__builtin__', 'builtins'],
  ['copy_reg', 'copyreg'],
]);

/**
 * Objects of these are records: a name and a state, of which tensors may be a part. Checkpoints hold the arguments of
 * their training and numbers of numpy; some are whole modules, such as OpenAI's encoder of DALL-E.
 */
const RECORDS: readonly RegExp[] = [
  /^argparse\.Namespace$/,
  /^pathlib(\._local)?\.(Pure)?(Posix|Windows)Path$/,
  /^numpy\.(core|_core)\.multiarray\.(scalar|_reconstruct)$/,
  /^numpy\.(dtype|ndarray)$/,
  /^torch\.device$/,
  /^torch\.nn\.modules\.[a-z_]+\.[A-Z][A-Za-z0-9]*$/,
  /^dall_e\.(encoder|decoder|utils)\.[A-Z][A-Za-z0-9]*$/,
];

const STORAGES: { readonly [name: string]: TensorType } = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** Types of elements, which are named by themselves in settings. */
const TYPES = [
  ...['float64', 'float32', 'float16', 'bfloat16', 'double', 'float', 'half'],
  ...['int64', 'int32', 'int16', 'int8', 'uint8', 'long', 'int', 'short', 'bool'],
];

const BUILT_IN = ['int', 'long', 'float', 'complex', 'bool', 'str', 'unicode', 'bytes', 'tuple'];

function named(name: string, call?: (args: readonly PickleValue[]) => PickleValue): [string, Named] {
  return [name, new Named(name, call)];
}

const NAMES: ReadonlyMap<string, Named> = new Map([
  named('torch._utils._rebuild_tensor', rebuildTensor),
  named('torch._utils._rebuild_tensor_v2', rebuildTensor),
  named('torch._utils._rebuild_parameter', rebuildParameter),
  named('torch._utils._rebuild_parameter_with_state', rebuildParameter),
  named('torch.nn.parameter.Parameter'),
  named('torch.Tensor'),
  named('torch.Size', sizeOf),
  ...TYPES.map((type) => named(`torch.${type}`)),
  ...Object.entries(STORAGES).map(([name, type]): [string, Named] => {
    return [`torch.${name}`, new StorageType(`torch.${name}`, type)];
  }),
  named('collections.OrderedDict', dictOf),
  named('collections.defaultdict', ([, pairs]) => dictOf(pairs === undefined ? [] : [pairs])),
  named('builtins.dict', dictOf),
  named('builtins.set', setOf),
  named('builtins.frozenset', setOf),
  named('builtins.list', ([items]) => [...listOf(items)]),
  ...BUILT_IN.map((type) => named(`builtins.${type}`)),
  named('_codecs.encode', encode),
]);

/** Elements of a tensor that repeats those of a smaller storage, which takes no bytes in a file. */
const MOST_REPEATED = 1 << 20;

/** (storage, offset, shape, strides, ...): what follows says nothing of the values. */
function rebuildTensor([storage, offset, shape, stride]: readonly PickleValue[]): StoredTensor {
  if (!(storage instanceof Storage))
    throw new PickleError(
      `its pickle makes a tensor of ${describeValue(storage ?? null)} instead of a storage`,
    );
  const sizes = naturalsOf(shape, 'a shape');
  const strides = naturalsOf(stride, 'strides');
  const begin = naturalOf(offset, 'an offset');
  if (strides.length !== sizes.length)
    throw new PickleError(
      `its pickle makes a tensor of ${sizes.length} dimensions with ${strides.length} strides`,
    );
  if (!sizes.includes(0)) {
    const last = sizes.reduce((sum, size, axis) => sum + (size - 1) * strides[axis], begin);
    if (!(last < storage.count))
      throw new PickleError(
        `its pickle has a tensor that ends at element ${last + 1} of a storage of ${storage.count}`,
      );
  }
  const count = sizes.reduce((product, size) => product * size, 1);
  if (count > Math.max(storage.count, MOST_REPEATED))
    throw new PickleError(`its pickle makes a tensor of ${count} elements out of ${storage.count}`);
  return new StoredTensor(storage, begin, sizes, strides);
}

function rebuildParameter([tensor]: readonly PickleValue[]): StoredTensor {
  if (tensor instanceof StoredTensor) return tensor;
  throw new PickleError(`its pickle makes a parameter of ${describeValue(tensor ?? null)}`);
}

function sizeOf([items]: readonly PickleValue[]): Tuple {
  return new Tuple(items instanceof Tuple ? items.items : listOf(items));
}

/** Python 2 gives an ordered dict its items as a list of pairs; later ones are set one by one. */
function dictOf([pairs]: readonly PickleValue[]): Map<PickleValue, PickleValue> {
  if (pairs === undefined) return new Map();
  if (pairs instanceof Map) return new Map(pairs);
  return new Map(
    listOf(pairs).map((pair): [PickleValue, PickleValue] => {
      const items = pair instanceof Tuple ? pair.items : listOf(pair);
      if (items.length !== 2)
        throw new PickleError(`its pickle makes a dict of ${items.length} values instead of pairs`);
      return [items[0], items[1]];
    }),
  );
}

function setOf([items]: readonly PickleValue[]): Set<PickleValue> {
  return new Set(items === undefined ? [] : items instanceof Tuple ? items.items : listOf(items));
}

function listOf(value: PickleValue | undefined): readonly PickleValue[] {
  if (value === undefined) return [];
  if (!Array.isArray(value))
    throw new PickleError(`its pickle has ${describeValue(value)} where a list belongs`);
  return value;
}

/** How Python 3 writes bytes in protocol 2: as the text that latin-1 makes of them. */
function encode([text, encoding]: readonly PickleValue[]): Uint8Array {
  if (typeof text !== 'string' || encoding !== 'latin1')
    throw new PickleError('its pickle encodes something else than a text as latin1');
  return Buffer.from(text, 'latin1');
}

function naturalsOf(value: PickleValue | undefined, what: string): readonly number[] {
  if (!(value instanceof Tuple))
    throw new PickleError(`its pickle makes a tensor with ${what} that is no tuple`);
  if (value.items.length > MOST_DIMENSIONS)
    throw new PickleError(`its pickle makes a tensor of ${value.items.length} dimensions`);
  return value.items.map((item) => naturalOf(item, what));
}

const MOST_DIMENSIONS = 64; // PyTorch's own limit

function naturalOf(value: PickleValue | undefined, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new PickleError(`its pickle makes a tensor with ${what} other than whole numbers from 0 up`);
}

function shorten(name: string): string {
  const clean = printable(name);
  return clean.length > 80 ? `${clean.slice(0, 77)}...` : clean;
}
