import type { FileHandle } from 'node:fs/promises';
import { type TensorType, TYPE_SIZES } from '../raw.ts';
import { readRange } from '../read-range.ts';
import { nameOf } from './names.ts';
import { unpickle } from './pickle.ts';
import { type TorchFile, textOfKey } from './torch-file.ts';
import {
  PickleEnd,
  PickleError,
  type PickleValue,
  RecordClass,
  Storage,
  StorageType,
  Tuple,
} from './values.ts';

/** What the first pickle of every file of this format is (pytorch/pytorch, torch/serialization.py). */
const MAGIC = 0x1950a86a20f9469cfc6cn;

const FIRST_READ = 1 << 20; // bytes
const MOST_PICKLED = 1 << 26;
const PROTOCOL = 1001;

/** @param head the first bytes of a file, some dozens at least */
export function isLegacy(head: Buffer): boolean {
  if (head[0] !== 0x80) return false;
  try {
    return unpickle(head, 0, { name: refuse, persistent: refuse }).value === MAGIC;
  } catch {
    return false;
  }
}

/** A storage of the file: which elements it has and how many. */
interface Listed {
  readonly type: TensorType;
  readonly count: number;
}

/**
 * The format of `torch.save` before PyTorch 1.6, in which torchvision still publishes its VGG16: five pickles (magic
 * number, version, sizes of types, the value, keys of storages), then for each key a count of 8 bytes and the elements
 * (pytorch/pytorch, torch/serialization.py, `_legacy_save`).
 *
 * @param length of the file in bytes
 * @throws PickleError
 */
export async function openLegacy(handle: FileHandle, length: number): Promise<TorchFile> {
  const { root, keys, listed, end } = await readPickles(handle, length);
  const places = new Map<string, { readonly begin: number; readonly bytes: number }>();
  let position = end;
  for (const key of keys) {
    const storage = listed.get(key);
    if (!storage) throw new PickleError(`has the storage ${JSON.stringify(key)}, which no tensor names`);
    if (places.has(key)) throw new PickleError(`has the storage ${JSON.stringify(key)} twice`);
    if (position + 8 > length) throw new PickleError('is truncated: it ends among its storages');
    const count = Number((await readRange(handle, position, 8)).readBigInt64LE());
    if (count !== storage.count)
      throw new PickleError(
        `has the storage ${JSON.stringify(key)} of ${count} elements, not ${storage.count}`,
      );
    const bytes = count * TYPE_SIZES[storage.type];
    if (position + 8 + bytes > length) throw new PickleError('is truncated: it ends within a storage');
    places.set(key, { begin: position + 8, bytes });
    position += 8 + bytes;
  }
  for (const key of listed.keys())
    if (!places.has(key)) throw new PickleError(`lacks the storage ${JSON.stringify(key)}`);
  return {
    root,
    readStorage: ({ key }) => {
      const { begin, bytes } = places.get(key)!;
      return readRange(handle, begin, bytes);
    },
  };
}

interface Pickles {
  readonly root: PickleValue;
  readonly keys: readonly string[];
  readonly listed: ReadonlyMap<string, Listed>;
  /** Where the storages begin. */
  readonly end: number;
}

/** How long the pickles are is known once they are read: of a large file no more is read than they need. */
async function readPickles(handle: FileHandle, length: number): Promise<Pickles> {
  for (let size = FIRST_READ; ; size *= 4) {
    const most = Math.min(size, length);
    try {
      return parsePickles(await readRange(handle, 0, most));
    } catch (error) {
      if (!(error instanceof PickleEnd) || most === length) throw error;
      if (most >= MOST_PICKLED) throw new PickleError(`has pickles of more than ${MOST_PICKLED} bytes`);
    }
  }
}

function parsePickles(bytes: Buffer): Pickles {
  const plain = { name: nameOf, persistent: refuse };
  const version = unpickle(bytes, unpickle(bytes, 0, plain).end, plain);
  if (version.value !== PROTOCOL)
    throw new PickleError(`has version ${String(version.value)} of PyTorch's old format, not ${PROTOCOL}`);
  const system = unpickle(bytes, version.end, plain);
  if (system.value instanceof Map && system.value.get('little_endian') === false)
    throw new PickleError('has numbers in the byte order of a large-endian machine');
  const listed = new Map<string, Listed>();
  const root = unpickle(bytes, system.end, { name: nameOf, persistent: (id) => persistent(id, listed) });
  const keys = unpickle(bytes, root.end, plain);
  if (!Array.isArray(keys.value)) throw new PickleError('has no list of its storages');
  return { root: root.value, keys: keys.value.map(textOfKey), listed, end: keys.end };
}

function refuse(): never {
  throw new PickleError('has a storage or a name of Python where none can be');
}

/**
 * ('storage', type, key, device, elements, view), where a view is (key, first element, elements) or None; or ('module',
 * class, file, source), which is a class of modules with its source for people to compare.
 */
function persistent(id: PickleValue, listed: Map<string, Listed>): PickleValue {
  const [what, type, name, , count, view = null] = id instanceof Tuple ? id.items : [];
  if (what === 'module' && type instanceof RecordClass) return type;
  if (what !== 'storage' || !(type instanceof StorageType) || !isNatural(count))
    throw new PickleError('its pickle refers to something else than a storage');
  const key = textOfKey(name);
  const known = listed.get(key);
  if (known && (known.count !== count || known.type !== type.type))
    throw new PickleError(`has two meanings of the storage ${JSON.stringify(key)}`);
  listed.set(key, { type: type.type, count });
  if (view === null) return new Storage(key, type.type, count);
  const [, begin, elements] = view instanceof Tuple ? view.items : [];
  if (!isNatural(begin) || !isNatural(elements) || begin + elements > count)
    throw new PickleError(`has a view beyond the storage ${JSON.stringify(key)}`);
  return new Storage(key, type.type, elements, begin);
}

function isNatural(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
