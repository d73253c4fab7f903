import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import fc from 'fast-check';
import type { HostTensor } from '../../../components/engine/types.ts';
import {
  flatten,
  loadTree,
  parseSafetensors,
  saveTree,
  unflatten,
} from '../../../components/nn/safetensors.ts';
import { hostTensor } from '../../../components/nn/tree.ts';

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

test('whatever is saved is loaded', (t) => {
  const floats = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 9 });
  const integers = fc.array(fc.integer(), { maxLength: 9 });
  const file = temporary('any');
  fc.assert(
    fc.property(floats, integers, fc.array(fc.boolean(), { maxLength: 9 }), (a, b, c) => {
      const tree = {
        z: hostTensor([a.length], Float32Array.from(a)),
        m: {
          n: hostTensor([1, b.length], Int32Array.from(b)),
          a: hostTensor([c.length], Uint8Array.from(c, Number)),
        },
      };
      saveTree(file, tree);
      t.deepEqual(flatten(loadTree(file)), {
        'm/a': tree.m.a,
        'm/n': tree.m.n,
        z: tree.z,
      });
    }),
    { seed: 2, numRuns: 30 },
  );
});

test('weights that are not finite are not written, and nothing is left of the file', (t) => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const file = temporary('diverged.safetensors');
    const tree = { head: { bias: hostTensor([2]), weight: hostTensor([3], Float32Array.of(0, 3e38, bad)) } };
    const message = t.throws(() => saveTree(file, tree))?.message;
    t.is(
      message,
      `diverged.safetensors is not written: "head/weight" holds ${bad}. The training diverged: lower the learning rate or clip.`,
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

const u8 = (begin: number, end: number) => ({
  dtype: 'U8',
  shape: [end - begin],
  data_offsets: [begin, end],
});

const DAMAGES: readonly (readonly [string, Uint8Array])[] = [
  ['no header', Buffer.from([1, 2])],
  ['header longer than the file', Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 123])],
  ['header that is no JSON', bytesOf('{x', [])],
  ['header that is no object', bytesOf('[]', [])],
  ['data cut off', bytesOf({ x: u8(0, 4) }, [1, 2])],
  ['overlapping tensors', bytesOf({ x: u8(0, 3), y: u8(2, 4) }, [1, 2, 3, 4])],
  ['hole between tensors', bytesOf({ x: u8(0, 1), y: u8(2, 3) }, [1, 2, 3])],
  ['surplus data', bytesOf({ x: u8(0, 1) }, [1, 2])],
  ['shape of another size', bytesOf({ x: { ...u8(0, 4), shape: [3] } }, [1, 2, 3, 4])],
  ['entry without a shape', bytesOf({ x: { dtype: 'U8', data_offsets: [0, 1] } }, [1])],
  ['unknown type', readFileSync(fixture('double.safetensors'))],
];

for (const [what, bytes] of DAMAGES) {
  test(`a damaged file is refused by name: ${what}`, (t) => {
    const { message } = t.throws(() => parseSafetensors(bytes, 'weights.safetensors'))!;
    t.true(message.startsWith('weights.safetensors: '));
    t.snapshot(message);
  });
}
