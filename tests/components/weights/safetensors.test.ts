import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import fc from 'fast-check';
import type { HostTensor } from '../../../components/engine/types.ts';
import { type HostTree, hostTensor } from '../../../components/nn/tree.ts';
import { openWeights } from '../../../components/weights/open.ts';
import {
  flatten,
  formatSafetensors,
  loadTree,
  parseSafetensors,
  saveTree,
  unflatten,
} from '../../../components/weights/safetensors.ts';
import { formatError } from '../../../framework/stage/errors.ts';

/** Made by Python's safetensors: see make.py beside them. */
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/safetensors/${name}`, import.meta.url));

const temporary = (name: string): string => join(mkdtempSync(join(tmpdir(), 'peco-safetensors-')), name);

const TREE = {
  a: hostTensor([2], Int32Array.of(7, -8)),
  b: { weight: hostTensor([1, 3], Float32Array.of(1.5, -2, 0.1)) },
  mask: hostTensor([3], Uint8Array.of(1, 0, 1)),
};

test("what Python's safetensors wrote is read", (t) => {
  t.deepEqual(loadTree(fixture('tree.safetensors')), TREE);
});

test('half precision and bytes are read as float32 and int32', (t) => {
  const { half, bytes } = loadTree<{ half: HostTensor; bytes: HostTensor }>(fixture('half.safetensors'));
  // 0.1 in binary16 is 0x2e66 = 1638 / 16384.
  t.deepEqual([...half.data], [1, -0.5, 65504, 2 ** -24, 1638 / 16384, Number.POSITIVE_INFINITY]);
  t.deepEqual([bytes.dtype, [...bytes.data]], ['int32', [0, 200]]);
});

test('float64 is read as float32', (t) => {
  const { double } = loadTree<{ double: HostTensor }>(fixture('double.safetensors'));
  t.deepEqual([double.dtype, [...double.data]], ['float32', [1]]);
});

test('int64 is read as int32, if it fits', (t) => {
  const file = temporary('i64.safetensors');
  const header = { x: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } };
  writeFileSync(file, bytesOf(header, [254, 255, 255, 255, 255, 255, 255, 255]));
  t.deepEqual([...loadTree<{ x: HostTensor }>(file).x.data], [-2]);
  writeFileSync(file, bytesOf(header, [0, 0, 0, 0, 1, 0, 0, 0]));
  t.throws(() => loadTree(file), { message: 'the integer 4294967296 needs more than 32 bits' });
});

test('of a large file only the header and what is asked for is read', async (t) => {
  const file = temporary('large.safetensors');
  const size = 4 * 2 ** 30;
  const header = { a: { dtype: 'U8', shape: [size], data_offsets: [0, size] } };
  writeFileSync(
    file,
    bytesOf({ ...header, z: { dtype: 'U8', shape: [2], data_offsets: [size, size + 2] } }, []),
  );
  const at = statSync(file).size;
  truncateSync(file, at + size + 2); // a sparse file: 4 GiB of zeros that take no room
  const opened = await openWeights(file);
  t.deepEqual([...opened.tensors.keys()], ['a', 'z']);
  t.deepEqual((await opened.read('z')).bytes.length, 2);
  await t.throwsAsync(opened.read('b'), { message: 'there is no tensor "b"' });
  await opened.close();
});

test('a type that nothing here computes with is refused', (t) => {
  const bytes = bytesOf({ x: { dtype: 'C64', shape: [], data_offsets: [0, 8] } }, [0, 0, 0, 0, 0, 0, 0, 0]);
  t.snapshot(t.throws(() => parseSafetensors(bytes, 'complex.safetensors'))!.message);
});

test('bfloat16 is read as float32', (t) => {
  const file = temporary('bf16.safetensors');
  // 0x3fc0 = 1.5 and 0xc000 = -2.
  writeFileSync(
    file,
    bytesOf({ x: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } }, [0xc0, 0x3f, 0x00, 0xc0]),
  );
  t.deepEqual([...loadTree<{ x: HostTensor }>(file).x.data], [1.5, -2]);
});

test('the header is aligned and the same tree is the same bytes, whatever the order of its names', (t) => {
  const [one, two] = [temporary('one'), temporary('two')];
  saveTree(one, TREE, { made: 'by hand' });
  saveTree(two, { mask: TREE.mask, b: TREE.b, a: TREE.a }, { made: 'by hand' });
  const bytes = readFileSync(one);
  t.deepEqual(readFileSync(two), bytes);
  t.is(Number(bytes.readBigUInt64LE(0)) % 8, 0);
  t.deepEqual(parseSafetensors(bytes, one).metadata, { made: 'by hand' });
});

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'shape',
  'dtype',
  'data',
  '0',
  '10',
  '9',
];
const name = fc.oneof(
  fc.constantFrom(...NAMES),
  fc
    .string({ unit: 'binary', minLength: 1, maxLength: 4 })
    .filter((text) => !text.includes('/') && text !== '__metadata__'),
);
const leaf = fc
  .tuple(fc.array(fc.nat(3), { maxLength: 3 }), fc.constantFrom(Float32Array, Int32Array, Uint8Array))
  .map(([shape, Values]) => {
    const size = shape.reduce((product, n) => product * n, 1);
    const values = new Values(size);
    for (let i = 0; i < size; i++) values[i] = Values === Uint8Array ? i % 2 : i * 37.3 - 100;
    return hostTensor(shape, values);
  });
/** Trees with at least one tensor, of which none has an empty branch: those vanish. */
const { tree: anyTree } = fc.letrec<{ tree: HostTree; node: HostTree }>((tie) => ({
  node: fc.oneof({ maxDepth: 3 }, leaf, tie('tree')),
  tree: fc
    .array(fc.tuple(name, tie('node')), { minLength: 1, maxLength: 4 })
    .map((members) => Object.fromEntries(members) as HostTree),
}));

test('whatever tree is saved is loaded: shapes, types, values and names, __proto__ too', (t) => {
  const file = temporary('any');
  fc.assert(
    fc.property(anyTree, fc.dictionary(name, fc.string({ unit: 'grapheme' })), (tree, metadata) => {
      saveTree(file, tree, metadata);
      t.deepEqual(membersOf(loadTree(file)), membersOf(tree));
      t.deepEqual(
        Object.entries(parseSafetensors(readFileSync(file), file).metadata).sort(),
        Object.entries(metadata).sort(),
      );
    }),
    { seed: 2, numRuns: 200 },
  );
});

/** As lists, since a comparison of objects may overlook a member called `__proto__`. */
function membersOf(tree: HostTree): unknown {
  return Object.entries(flatten(tree)).sort(([a], [b]) => (a < b ? -1 : 1));
}

test('names that mean something to JavaScript are names, byte for byte as in a file of Python', (t) => {
  const bytes = readFileSync(fixture('names.safetensors'));
  const read = parseSafetensors(bytes, 'names');
  t.true(Object.hasOwn(read.tensors, '__proto__'));
  t.deepEqual(Object.entries(read.metadata), [['__proto__', 'kept']]);
  t.is(Object.keys(read.tensors).length, 12);
  t.deepEqual(Buffer.from(formatSafetensors(read)), bytes);
});

interface Case {
  readonly name: string;
  /** Hexadecimal. */
  readonly file: string;
  /** Name, dtype, shape and bytes of each tensor; null where the reference implementation refuses the file. */
  readonly read: readonly (readonly [string, string, readonly number[], readonly number[]])[] | null;
}

/** What the reference implementation reads, although the format forbids it or says nothing of it. */
const REFUSED_HERE = new Set([
  'a tensor twice',
  'a tensor twice, once escaped',
  'a key of the metadata twice',
  'tensor that is a list',
]);

test('each file is read or refused as the reference implementation does it; repeated keys are refused too', (t) => {
  const cases = JSON.parse(readFileSync(fixture('cases.json'), 'utf8')) as Case[];
  for (const { name, file, read } of cases) {
    const parse = () => parseSafetensors(Buffer.from(file, 'hex'), 'weights.safetensors');
    if (read === null || REFUSED_HERE.has(name)) {
      const { message } = t.throws(parse, undefined, name)!;
      t.true(message.startsWith('weights.safetensors: '), name);
      t.snapshot(message, name);
    } else {
      const { tensors } = parse();
      const found = Object.entries(tensors).map(([own, { type, shape, bytes }]) => [
        own,
        type,
        shape,
        [...bytes],
      ]);
      t.deepEqual(
        found.sort(([a], [b]) => (a! < b! ? -1 : 1)),
        read.map((one) => [...one]) as never,
        name,
      );
    }
  }
});

test('a header larger than the format allows is refused before it is read', (t) => {
  const bytes = Buffer.alloc(8 + 100_000_001);
  bytes.writeBigUInt64LE(100_000_001n);
  t.throws(() => parseSafetensors(bytes, 'huge'), {
    message: /^huge: its header of 100000001 bytes is larger/,
  });
});

test("what a file can't hold is not written: the error names file and tensor", (t) => {
  const file = temporary('refused');
  const x = hostTensor([]);
  const refused = (tree: unknown, metadata?: unknown) => {
    const { message } = t.throws(() => saveTree(file, tree, metadata as never))!;
    t.true(message.startsWith(`${file}: `));
    t.false(existsSync(file));
    return message.slice(file.length + 2);
  };
  t.snapshot([
    refused({ __metadata__: x }),
    refused({ a: { '': x } }),
    refused({ 'a/b': x }),
    refused(x),
    refused({ '\ud800': x }),
    refused({ w: { ...x, shape: [2] } }),
    refused({ x }, { steps: 4 }),
    refused({ x }, { steps: '\udc00' }),
  ]);
});

test('a file whose names make no tree is refused by its name', (t) => {
  const file = temporary('no-tree');
  const refused = (...names: string[]) => {
    const raw = { type: 'U8', shape: [0], bytes: new Uint8Array() } as const;
    const tensors = Object.fromEntries(names.map((one) => [one, raw]));
    writeFileSync(file, formatSafetensors({ tensors, metadata: {} }));
    return t.throws(() => loadTree(file))!.message.replace(file, 'FILE');
  };
  t.snapshot([refused(''), refused('a//b'), refused('/a'), refused('a/'), refused('a', 'a/b')]);
});

test('weights that are not finite are not written, and nothing is left of the file', (t) => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const file = temporary('diverged.safetensors');
    const tree = { head: { bias: hostTensor([2]), weight: hostTensor([3], Float32Array.of(0, 3e38, bad)) } };
    t.is(
      formatError(t.throws(() => saveTree(file, tree))),
      `diverged.safetensors is not written: "head/weight" holds ${bad}\n  the training diverged: lower the learning rate, or clip gradients more`,
    );
    t.deepEqual(readdirSync(dirname(file)), []);
  }
});

test('names nest by slashes', (t) => {
  const x = hostTensor([]);
  t.deepEqual(Object.keys(flatten({ a: { b: x, c: { d: x } }, e: x })), ['a/b', 'a/c/d', 'e']);
  t.deepEqual(unflatten({ 'a/b': x, 'a/c/d': x, e: x }), { a: { b: x, c: { d: x } }, e: x });
  t.throws(() => flatten({ 'a/b': x }), { message: '"a/b" can\'t be part of a tensor\'s name' });
  t.throws(() => unflatten({ a: x, 'a/b': x }), { message: '"a/b" lies below another tensor' });
  t.throws(() => unflatten({ 'a/b': x, a: x }), { message: '"a" has other tensors below it' });
});

function bytesOf(header: unknown, data: readonly number[]): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.from(data)]);
}
