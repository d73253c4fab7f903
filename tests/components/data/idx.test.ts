import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { formatIdx, readIdx } from '../../../components/data/idx.ts';

// Two images of 1x2 pixels, written down by hand.
const BYTES = Buffer.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 255]);

function fileOf(name: string, bytes: Uint8Array): string {
  const file = join(mkdtempSync(join(tmpdir(), 'peco-idx-')), name);
  writeFileSync(file, bytes);
  return file;
}

for (const [how, bytes] of [
  ['plain', BYTES],
  ['gzipped', gzipSync(BYTES)],
] as const) {
  test(`a ${how} file is read`, (t) => {
    const { shape, data } = readIdx(fileOf('images', bytes), 3);
    t.deepEqual(shape, [2, 1, 2]);
    t.deepEqual([...data], [10, 20, 30, 255]);
  });
}

test('formatting gives the bytes of the format', (t) => {
  t.deepEqual(Buffer.from(formatIdx({ shape: [2, 1, 2], data: Uint8Array.of(10, 20, 30, 255) })), BYTES);
});

const DAMAGES: readonly (readonly [string, Uint8Array])[] = [
  ['empty', Buffer.alloc(0)],
  ['labels instead of images', Buffer.from([0, 0, 8, 1, 0, 0, 0, 1, 3])],
  ['cut inside the header', BYTES.subarray(0, 10)],
  ['cut inside the values', BYTES.subarray(0, 18)],
  ['longer than its header says', Buffer.concat([BYTES, Buffer.of(1)])],
  ['cut gzip', gzipSync(BYTES).subarray(0, 20)],
];

for (const [what, bytes] of DAMAGES) {
  test(`a damaged file is refused by name: ${what}`, (t) => {
    const file = fileOf('images-idx3-ubyte', bytes);
    const { message } = t.throws(() => readIdx(file, 3))!;
    t.true(message.startsWith(file));
    t.snapshot(message.replace(file, basename(file)));
  });
}

test('a file that is not there is named', (t) => {
  t.throws(() => readIdx('/nowhere/images', 3), { message: "/nowhere/images: can't be read (ENOENT)" });
});
