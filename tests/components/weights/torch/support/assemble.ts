/** Pickles and files of PyTorch's old format, put together by hand: what no PyTorch would write. */

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

function sized(code: string, size: 1 | 4 | 8, bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(size);
  if (size === 1) length.writeUInt8(bytes.length);
  else if (size === 4) length.writeUInt32LE(bytes.length);
  else length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([latin1(code), length, bytes]);
}

/** Pieces of pickles, by the names of Python's pickletools. */
export const op = {
  raw: latin1,
  global: (module: string, name: string) => latin1(`c${module}\n${name}\n`),
  inst: (module: string, name: string) => latin1(`i${module}\n${name}\n`),
  text: (text: string) => sized('X', 4, Buffer.from(text)),
  shortText: (text: string) => sized('\x8c', 1, Buffer.from(text)),
  oldText: (text: string) => sized('U', 1, latin1(text)),
  int: (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return Buffer.concat([latin1('J'), bytes]);
  },
  tuple: (...items: readonly Uint8Array[]) => Buffer.concat([latin1('('), ...items, latin1('t')]),
  list: (...items: readonly Uint8Array[]) => Buffer.concat([latin1(']('), ...items, latin1('e')]),
  dict: (...items: readonly Uint8Array[]) => Buffer.concat([latin1('}('), ...items, latin1('u')]),
} as const;

export function pickle(...parts: readonly (string | Uint8Array)[]): Buffer {
  const bytes = parts.map((part) => (typeof part === 'string' ? latin1(part) : part));
  return Buffer.concat([latin1('\x80\x02'), ...bytes, latin1('.')]);
}

const MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');

/** A file of the old format: its value as a pickle, and float32 storages by key. */
export function oldFile(
  value: Uint8Array,
  storages: { readonly [key: string]: readonly number[] } = {},
): Buffer {
  const keys = Object.keys(storages);
  const blocks = Object.values(storages).map((numbers) => {
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(BigInt(numbers.length));
    return Buffer.concat([count, Buffer.from(Float32Array.from(numbers).buffer)]);
  });
  const system = op.dict(op.text('little_endian'), latin1('\x88'));
  return Buffer.concat([
    MAGIC,
    pickle('M\xe9\x03'),
    pickle(system),
    value,
    pickle(op.list(...keys.map(op.text))),
    ...blocks,
  ]);
}

/** A float32 storage of so many elements. */
export function storage(key: string, count: number, view: Uint8Array = latin1('N')): Buffer {
  const type = op.global('torch', 'FloatStorage');
  const id = op.tuple(op.text('storage'), type, op.text(key), op.text('cpu'), op.int(count), view);
  return Buffer.concat([id, latin1('Q')]);
}

/** A tensor of it. */
export function tensor(
  of: Uint8Array,
  {
    offset = 0,
    shape,
    stride,
  }: { readonly offset?: number; readonly shape: readonly number[]; readonly stride: readonly number[] },
): Buffer {
  const args = op.tuple(
    of,
    op.int(offset),
    op.tuple(...shape.map(op.int)),
    op.tuple(...stride.map(op.int)),
    latin1('\x89'),
    Buffer.concat([op.global('collections', 'OrderedDict'), latin1(')R')]),
  );
  return Buffer.concat([op.global('torch._utils', '_rebuild_tensor_v2'), args, latin1('R')]);
}
