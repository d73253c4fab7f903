import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openWeights } from '../../../../components/weights/open.ts';
import { formatError } from '../../../../framework/stage/errors.ts';
import { oldFile, op, pickle, storage, tensor } from './support/assemble.ts';
import { zipOf } from './support/zip.ts';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'peco-hostile-'));
test.after.always(() => fs.rmSync(folder, { recursive: true }));
let files = 0;

/** What opening a file, and reading all its tensors, is refused with. */
async function refusal(t: ExecutionContext, bytes: Uint8Array): Promise<string> {
  const file = path.join(folder, `${files++}.pth`);
  fs.writeFileSync(file, bytes);
  const error = await t.throwsAsync(readAll(file), { name: 'StageError' });
  return formatError(error).replaceAll(file, 'x.pth').split('\n')[0];
}

async function readAll(file: string): Promise<void> {
  const opened = await openWeights(file);
  try {
    for (const name of opened.tensors.keys()) await opened.read(name);
  } finally {
    await opened.close();
  }
}

const command = op.tuple(op.text('touch pwned'));

/** Ways in which a pickle has Python call something, each with what Python would call. */
const gadgets: { readonly [title: string]: readonly [called: string, value: Buffer] } = {
  'REDUCE of os.system': ['os.system', pickle(op.global('os', 'system'), command, 'R')],
  'REDUCE of what os is on Linux': ['posix.system', pickle(op.global('posix', 'system'), command, 'R')],
  'INST of subprocess.Popen': [
    'subprocess.Popen',
    pickle('(', op.text('id'), op.inst('subprocess', 'Popen')),
  ],
  'OBJ of os.system': ['os.system', pickle('(', op.global('os', 'system'), op.text('id'), 'o')],
  'NEWOBJ of subprocess.Popen': [
    'subprocess.Popen',
    pickle(op.global('subprocess', 'Popen'), command, '\x81'),
  ],
  'NEWOBJ_EX of subprocess.Popen': [
    'subprocess.Popen',
    pickle(op.global('subprocess', 'Popen'), command, '}', '\x92'),
  ],
  'STACK_GLOBAL of builtins.eval': [
    'builtins.eval',
    pickle(op.shortText('builtins'), op.shortText('eval'), '\x93', command, 'R'),
  ],
  'STACK_GLOBAL with a dotted name': [
    'torch._utils._rebuild_tensor_v2.__globals__',
    pickle(op.shortText('torch._utils'), op.shortText('_rebuild_tensor_v2.__globals__'), '\x93'),
  ],
  'eval of Python 2': ['builtins.eval', pickle(op.global('__builtin__', 'eval'), command, 'R')],
  exec: ['builtins.exec', pickle(op.global('builtins', 'exec'), command, 'R')],
  getattr: ['builtins.getattr', pickle(op.global('builtins', 'getattr'), command, 'R')],
  __import__: ['builtins.__import__', pickle(op.global('builtins', '__import__'), command, 'R')],
  'torch.hub': ['torch.hub.load', pickle(op.global('torch.hub', 'load'), command, 'R')],
  'torch.load within torch.load': [
    'torch.storage._load_from_bytes',
    pickle(op.global('torch.storage', '_load_from_bytes'), command, 'R'),
  ],
  'a tensor of any type, made by any function': [
    'torch._tensor._rebuild_from_type_v2',
    pickle(op.global('torch._tensor', '_rebuild_from_type_v2'), command, 'R'),
  ],
  'a module whose class loads code': [
    'torch.jit._script.unpackage_script_module',
    pickle(op.global('torch.jit._script', 'unpackage_script_module'), command, 'R'),
  ],
  'a class that only looks like one of torch.nn': [
    'torch.nn.modules.linear.os.system',
    pickle(op.global('torch.nn.modules.linear', 'os.system'), command, 'R'),
  ],
  'numpy, which runs files': [
    'numpy.testing._private.utils.runstring',
    pickle(op.global('numpy.testing._private.utils', 'runstring'), command, 'R'),
  ],
  'a name within the arguments of a harmless call': [
    'os.system',
    pickle(
      op.global('collections', 'OrderedDict'),
      op.tuple(op.list(op.list(op.text('a'), op.global('os', 'system')))),
      'R',
    ),
  ],
  'REDUCE inside of REDUCE': [
    'os.system',
    pickle(op.global('collections', 'OrderedDict'), '(', op.global('os', 'system'), command, 'R', 'tR'),
  ],
  'a state that is a call': [
    'os.system',
    pickle(op.global('argparse', 'Namespace'), ')\x81', op.global('os', 'system'), command, 'R', 'b'),
  ],
  'a type of storages that is none': [
    'os.system',
    pickle(
      op.tuple(
        op.text('storage'),
        op.global('os', 'system'),
        op.text('0'),
        op.text('cpu'),
        op.int(1),
        op.raw('N'),
      ),
      'Q',
    ),
  ],
};

for (const [title, [called, value]] of Object.entries(gadgets)) {
  test(`refused by its name, whatever calls it: ${title}`, async (t) => {
    const message = `its pickle names ${called}, which weights are not made of; nothing of it was run`;
    t.is(await refusal(t, oldFile(value)), `x.pth: ${message}`);
    const archive = zipOf([{ name: 'x/data.pkl', bytes: value }]);
    t.is(await refusal(t, archive), `x.pth: ${message}`);
  });
}

const one = (value: Uint8Array) => pickle(op.dict(op.text('w'), value));
const plain = { shape: [2], stride: [1] };
const big = 'x'.repeat(300);

/** Faults of the pickle itself. Storage "0" of the file has 2 elements. */
const faults: { readonly [title: string]: Uint8Array } = {
  'a persistent id that is no tuple': pickle(op.text('0'), 'Q'),
  'a persistent id of something else': pickle(op.tuple(op.text('tensor'), op.text('0')), 'Q'),
  'a module of no class': pickle(op.tuple(op.text('module'), op.text('0')), 'Q'),
  'a persistent id of protocol 0': pickle('Pos.system\n'),
  'a storage that is not in the file': one(tensor(storage('9', 2), plain)),
  'a storage of more elements': one(tensor(storage('0', 3), { shape: [3], stride: [1] })),
  'a view beyond a storage': one(
    tensor(storage('0', 2, op.tuple(op.text('v'), op.int(1), op.int(2))), plain),
  ),
  'a tensor beyond its storage': one(tensor(storage('0', 2), { offset: 1, ...plain })),
  'strides beyond a storage': one(tensor(storage('0', 2), { shape: [2], stride: [2] })),
  'a negative size': one(tensor(storage('0', 2), { shape: [-1], stride: [1] })),
  'a negative stride': one(tensor(storage('0', 2), { offset: 1, shape: [2], stride: [-1] })),
  'sizes and strides of two lengths': one(tensor(storage('0', 2), { shape: [2], stride: [1, 1] })),
  'billions of elements out of one': one(
    tensor(storage('0', 2), { shape: [60_000, 60_000], stride: [0, 0] }),
  ),
  'more elements than there are numbers': one(
    tensor(storage('0', 2), { shape: Array(20).fill(2 ** 31 - 1), stride: Array(20).fill(2 ** 31 - 1) }),
  ),
  'a tensor of no storage': one(tensor(op.text('0'), plain)),
  'a tensor that is called': one(Buffer.concat([tensor(storage('0', 2), plain), op.raw(')R')])),
  'a state for a tensor': one(Buffer.concat([tensor(storage('0', 2), plain), op.raw('}b')])),
  'a type that is called': pickle(op.global('torch', 'FloatStorage'), ')R'),
  'the extension registry': pickle('\x82\x01'),
  'a large extension': pickle('\x84\x01\x00\x00\x00'),
  'a buffer from elsewhere': pickle('\x97'),
  'a whole number of two hundred bytes': pickle('\x8a\xc8', big),
  'a whole number of a negative length': pickle('\x8b\xff\xff\xff\xff'),
  'a text of a negative length': pickle('T\xff\xff\xff\xff'),
  'a text longer than the file': pickle('X\xff\xff\xff\xff'),
  'a text of 2**63 bytes': pickle('\x8d\x00\x00\x00\x00\x00\x00\x00\x80'),
  'a text that is no UTF-8': pickle('X\x01\x00\x00\x00\xff'),
  'something remembered that was not': pickle('h\x07'),
  'an empty stack': pickle('a'),
  'a mark that is not there': pickle('t'),
  'a pop below the bottom': pickle('0'),
  'nothing to return': pickle(),
  'an item without a value': pickle('}(', op.text('a'), 'u'),
  'an item of a tuple': pickle(')', op.text('a'), op.text('b'), 's'),
  'an append to a dict': pickle('}Na'),
  'protocol 9': Buffer.from('\x80\x09N.', 'latin1'),
  'an operation of protocol 0': pickle('I1\n'),
  'an unknown operation': pickle('\xfe'),
  'nothing but a number': pickle('K\x01'),
  'a dict without tensors': pickle(op.dict(op.text('epoch'), op.int(1), op.text('arch'), op.text('vit'))),
  'a tensor without a name': pickle(tensor(storage('0', 2), plain)),
};

test('whatever is wrong with a pickle is one error that names the file', async (t) => {
  for (const [title, value] of Object.entries(faults))
    t.snapshot(await refusal(t, oldFile(value, { 0: [1, 2] })), title);
});

test('a pickle of millions of operations, marks or copies is refused before it takes all memory', async (t) => {
  const bombs = {
    'empty dicts': pickle('}'.repeat(1_100_000)),
    'nested tuples': pickle(')', '\x85'.repeat(1_100_000)),
    marks: pickle('('.repeat(1_100_000)),
    'copies of the top': pickle('N', '2'.repeat(4_100_000)),
    'copies of a list': pickle(
      op.list(...Array.from({ length: 5000 }, () => op.raw('N'))),
      `q\x00${`c__builtin__\nlist\n(h\x00tR`.repeat(1000)}`,
    ),
  };
  for (const [title, value] of Object.entries(bombs)) {
    t.regex(await refusal(t, oldFile(value)), /that is no file of weights|too many marks/, title);
  }
});

test('dicts that hold themselves, and modules that hold each other many times, end', async (t) => {
  const circle = pickle('}q\x00', op.text('model'), 'h\x00s');
  t.regex(await refusal(t, oldFile(circle)), /has no tensors by name/);
  // Each module has the one before twice: 2 ** 40 names.
  const module = (inner: Buffer, place: number) =>
    Buffer.concat([
      op.global('torch.nn.modules.container', 'Sequential'),
      op.raw(')\x81}'),
      op.text('_modules'),
      op.dict(op.text('a'), inner, op.text('b'), inner),
      op.raw(`sbq${String.fromCharCode(place)}`),
    ]);
  const leaf = Buffer.concat([
    op.global('torch.nn.modules.linear', 'Linear'),
    op.raw(')\x81}'),
    op.text('_parameters'),
    op.dict(op.text('w'), tensor(storage('0', 2), plain)),
    op.raw('sbq\x00'),
  ]);
  const chain = [
    leaf,
    ...Array.from({ length: 40 }, (_, i) => module(op.raw(`h${String.fromCharCode(i)}`), i + 1)),
  ];
  const value = pickle(...chain.flatMap((part) => [part, '0']), 'h\x28');
  t.regex(await refusal(t, oldFile(value, { 0: [1, 2] })), /more than 100000 tensors/);
});

const weights = zipOf([
  { name: 'x/data.pkl', bytes: one(tensor(storage('0', 2), plain)).subarray() },
  { name: 'x/data/0', bytes: Buffer.alloc(8) },
]);

/** A zip file's storage id has no view. */
const inZip = pickle(
  op.dict(
    op.text('w'),
    tensor(
      Buffer.concat([
        op.tuple(
          op.text('storage'),
          op.global('torch', 'FloatStorage'),
          op.text('0'),
          op.text('cpu'),
          op.int(2),
        ),
        op.raw('Q'),
      ]),
      plain,
    ),
  ),
);
const data = { name: 'x/data.pkl', bytes: inZip };
const numbers = { name: 'x/data/0', bytes: Buffer.alloc(8) };

const archives: { readonly [title: string]: Uint8Array } = {
  'no archive of PyTorch': zipOf([{ name: 'readme.txt', bytes: Buffer.from('hello') }]),
  'two folders': zipOf([data, { ...data, name: 'y/data.pkl' }]),
  TorchScript: zipOf([data, numbers, { name: 'x/constants.pkl', bytes: inZip }]),
  'a storage that is not there': zipOf([data]),
  'a storage of another size': zipOf([data, { ...numbers, bytes: Buffer.alloc(4) }]),
  'a wrong CRC of a storage': zipOf([data, { ...numbers, crc: 1 }]),
  'a wrong CRC of the pickle': zipOf([{ ...data, crc: 1 }, numbers]),
  'an entry twice': zipOf([data, numbers, numbers]),
  'an encrypted storage': zipOf([data, { ...numbers, flags: 1, size: 8 }]),
  'a path out of the folder': zipOf([data, numbers, { name: '../../etc/passwd', bytes: Buffer.alloc(1) }]),
  'more entries than there are': zipOf([data, numbers], { count: 3 }),
  'an entry that begins elsewhere': zipOf([data, { ...numbers, offset: 5 }]),
  'a size beyond the file': zipOf([data, { ...numbers, size: 2 ** 31 }]),
  'a pickle that unpacks to a gigabyte': zipOf([{ ...data, compressed: true, size: 2 ** 30 }, numbers]),
  'a storage that unpacks to more than it says': zipOf([
    data,
    { name: 'x/data/0', bytes: Buffer.alloc(1 << 20), compressed: true, size: 8 },
  ]),
  'numbers the other way round': zipOf([data, numbers, { name: 'x/byteorder', bytes: Buffer.from('big') }]),
  'half of the file': weights.subarray(0, weights.length / 2),
  'no directory': weights.subarray(0, weights.length - 22),
};

test('whatever is wrong with an archive is one error that names the file', async (t) => {
  for (const [title, bytes] of Object.entries(archives)) t.snapshot(await refusal(t, bytes), title);
});

test('a compressed archive is read', async (t) => {
  const file = path.join(folder, 'compressed.pth');
  fs.writeFileSync(
    file,
    zipOf([
      { ...data, compressed: true },
      { ...numbers, compressed: true },
    ]),
  );
  const opened = await openWeights(file);
  t.deepEqual([...(await opened.read('w')).bytes], Array(8).fill(0));
  await opened.close();
});

const others: { readonly [title: string]: Uint8Array } = {
  nothing: Buffer.alloc(0),
  'a pointer of Git LFS': Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n'),
  'a page': Buffer.from('\n<!DOCTYPE html><html>404</html>'),
  'any pickle': pickle(op.dict()),
  gzip: Buffer.from('\x1f\x8b\x08\x00', 'latin1'),
  HDF5: Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'),
  tar: Buffer.concat([Buffer.alloc(257), Buffer.from('ustar'), Buffer.alloc(250)]),
  'a photograph': Buffer.from('\xff\xd8\xff\xe0\0\x10JFIF\0', 'latin1'),
  text: Buffer.from('hello, weights'),
  'the magic number of PyTorch and nothing else': oldFile(pickle()).subarray(0, 15),
  'an old file that ends among its storages': oldFile(one(tensor(storage('0', 2), plain)), {
    0: [1, 2],
  }).subarray(0, -4),
};

test('of other files that are called .pth the error says what they are', async (t) => {
  for (const [title, bytes] of Object.entries(others)) t.snapshot(await refusal(t, bytes), title);
  await t.throwsAsync(openWeights(path.join(folder, 'none.pth')), {
    message: /none\.pth: can't be read \(ENOENT\)/,
  });
  await t.throwsAsync(openWeights(folder), { message: /can't be read \(EISDIR\)/ });
});
