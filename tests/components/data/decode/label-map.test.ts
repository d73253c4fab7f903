import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { BadImage } from '../../../../components/data/decode/decode.ts';
import { labelsOf, readLabelMap } from '../../../../components/data/decode/label-map.ts';
import { pngHeader, readPngNumbers } from '../../../../components/data/decode/png-numbers.ts';
import { createProject } from '../../../support/project.ts';

interface Case {
  readonly name: string;
  readonly file: string;
  readonly height: number;
  readonly width: number;
  readonly numbers: readonly number[];
}

// Made by label_maps.py beside it.
const place = new URL('../../../fixtures/pillow/label-maps.json', import.meta.url);
const fixture = JSON.parse(readFileSync(place, 'utf8')) as {
  readonly cases: readonly Case[];
  readonly refused: readonly Pick<Case, 'name' | 'file'>[];
};
const bytesOf = ({ file }: Pick<Case, 'file'>): Buffer => Buffer.from(file, 'base64');
const first = fixture.cases[0]!;

test('numbers of a PNG are those that Pillow gives: palettes by index, 16 bits whole, interlaced or not', (t) => {
  for (const one of fixture.cases) {
    const { numbers, height, width } = readPngNumbers(bytesOf(one));
    t.deepEqual([height, width, [...numbers]], [one.height, one.width, [...one.numbers]], one.name);
    t.like(pngHeader(bytesOf(one).subarray(0, 33)), { height, width });
  }
});

test('pictures of colours, greys of few bits and damaged files are refused by what they are', (t) => {
  const refused = (bytes: Uint8Array) => {
    const { message, hint = '' } = t.throws(() => readPngNumbers(bytes), { instanceOf: BadImage })!;
    return `${message} (${hint})`;
  };
  const whole = bytesOf(first);
  const flipped = Uint8Array.from(whole);
  flipped[whole.length - 20]! ^= 1;
  const bomb = Uint8Array.from(whole);
  new DataView(bomb.buffer).setUint32(16, 1 << 20);
  t.snapshot({
    ...Object.fromEntries(fixture.refused.map((one) => [one.name, refused(bytesOf(one))])),
    'a bit flipped': refused(flipped),
    'a header that says more': refused(bomb),
    'no end': refused(whole.subarray(0, whole.length - 30)),
    'no header': refused(whole.subarray(0, 20)),
    empty: refused(new Uint8Array()),
    'a JPEG': refused(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)),
  });
});

test('of any damaged PNG the numbers are as before or it is refused', (t) => {
  const cases = fixture.cases.map((one) => ({ one, bytes: bytesOf(one) }));
  const damaged = fc.record({ of: fc.constantFrom(...cases), at: fc.nat(), to: fc.nat(255), end: fc.nat(3) });
  fc.assert(
    fc.property(damaged, ({ of: { one, bytes }, at, to, end }) => {
      const other = Uint8Array.from(bytes.subarray(0, bytes.length - end));
      other[at % other.length] = to;
      try {
        t.deepEqual([...readPngNumbers(other).numbers], [...one.numbers]);
      } catch (error) {
        t.true(error instanceof BadImage, String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test('numbers from 1 are classes from 0, and 0 is none, as `reduce_zero_label` makes them; 255 never is a class', (t) => {
  const numbers = Uint8Array.of(0, 1, 2, 150, 255, 3);
  // mmsegmentation: 0 becomes 255, all are lowered by 1, 254 becomes 255.
  t.deepEqual(
    [...labelsOf({ numbers, height: 2, width: 3 }, { numbering: 'from-1', classes: 150 }).labels],
    [...[255, 0, 1, 149, 255, 2]],
  );
  t.deepEqual(
    [...labelsOf({ numbers, height: 2, width: 3 }, { numbering: 'from-0', classes: 151 }).labels],
    [...[0, 1, 2, 150, 255, 3]],
  );
  const wide = Uint16Array.of(0, 12, 255, 3);
  t.deepEqual(
    [...labelsOf({ numbers: wide, height: 1, width: 4 }, { numbering: 'from-0', classes: 13 }).labels],
    [...[0, 12, 255, 3]],
  );
});

test('a number of no class is reported with its pixel and the range', async (t) => {
  const raw = { format: 'raw', height: 2, width: 3 } as const;
  const told = async (map: Parameters<typeof readLabelMap>[0], classes: number) => {
    const { message, hint } = await t.throwsAsync<BadImage>(readLabelMap(map, classes));
    return `${message} (${hint})`;
  };
  t.snapshot([
    await told({ ...raw, numbering: 'from-0', numbers: Uint8Array.of(0, 1, 255, 1, 7, 7) }, 2),
    await told({ ...raw, numbering: 'from-1', numbers: Uint8Array.of(0, 1, 255, 1, 2, 3) }, 2),
    await told({ ...raw, numbering: 'from-1', numbers: Uint16Array.of(0, 1, 300, 1, 2, 65535) }, 2),
    await told({ ...raw, numbering: 'from-1', numbers: Uint8Array.of(0, 1) }, 2),
    await told({ format: 'png', numbering: 'from-0', bytes: bytesOf(first), from: 'a/b.png' }, 3),
  ]);
});

test('a file is read, and named where it is not there or is no PNG', async (t) => {
  const project = createProject(t, { 'b.png': 'no PNG' });
  const map = (name: string) => ({ format: 'png', numbering: 'from-0', file: project.file(name) }) as const;
  await t.throwsAsync(readLabelMap(map('a.png'), 3), { message: /a\.png: can't be read \(ENOENT\)$/ });
  await t.throwsAsync(readLabelMap(map('b.png'), 3), { message: /b\.png: is no PNG$/ });
  const { labels, height, width } = await readLabelMap(
    { format: 'png', numbering: 'from-0', bytes: bytesOf(first) },
    151,
  );
  t.deepEqual([[...labels], height, width], [[...first.numbers], first.height, first.width]);
});
