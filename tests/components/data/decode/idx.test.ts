import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { formatIdx, readIdx, readIdxShape } from '../../../../components/data/decode/idx.ts';

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

test('the header alone says the same as the whole file, whatever happened to its bytes', (t) => {
  const file = join(mkdtempSync(join(tmpdir(), 'peco-idx-')), 'file');
  const attempt = (read: () => readonly number[]): readonly number[] | 'refused' => {
    try {
      return read();
    } catch (error) {
      t.true((error as Error).message.startsWith(`${file}: `));
      return 'refused';
    }
  };
  const extent = fc.integer({ min: 0, max: 40 });
  const property = fc.property(
    fc.array(extent, { minLength: 1, maxLength: 3 }),
    fc.boolean(),
    fc.nat(),
    fc.nat(2),
    (shape, packed, cut, extra) => {
      const count = shape.reduce((product, n) => product * n, 1);
      const bytes = Buffer.concat([
        formatIdx({ shape, data: new Uint8Array(count).fill(7) }),
        Buffer.alloc(extra),
      ]);
      const whole = packed ? gzipSync(bytes) : bytes;
      const written = cut % 3 === 0 ? whole : whole.subarray(0, cut % (whole.length + 1));
      writeFileSync(file, written);
      for (const rank of [1, 2, 3]) {
        t.deepEqual(
          attempt(() => readIdxShape(file, rank)),
          attempt(() => readIdx(file, rank).shape),
        );
      }
    },
  );
  fc.assert(property, { numRuns: 300 });
});
