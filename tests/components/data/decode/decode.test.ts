import { readFileSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import test from 'ava';
import { BadImage, decode } from '../../../../components/data/decode/decode.ts';
import { imageSize } from '../../../../components/data/decode/image-size.ts';
import { createProject } from '../../../support/project.ts';

interface Case {
  readonly name: string;
  readonly format: 'jpeg' | 'png' | 'webp';
  readonly file: string;
  readonly height: number;
  readonly width: number;
  readonly bytes: string;
}

// Made by make.py beside it.
const place = new URL('../../../fixtures/pillow/decode.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(place, 'utf8')) as { cases: readonly Case[] };

for (const { name, format, file, height, width, bytes } of cases) {
  test(`${name}: byte for byte as Pillow`, async (t) => {
    const made = await decode({ format, bytes: Buffer.from(file, 'base64') });
    t.deepEqual([made.height, made.width, made.channels], [height, width, 3]);
    t.is(Buffer.from(made.bytes).toString('hex'), bytes);
  });
}

test('what is no image, or a part of one, is refused in one line', async (t) => {
  const whole = Buffer.from(cases[0]!.file, 'base64');
  for (const bytes of [
    new Uint8Array(),
    Buffer.from('<html>404'),
    whole.subarray(0, 200),
    whole.subarray(0, -40),
  ])
    await t.throwsAsync(decode({ format: 'jpeg', bytes }), { message: /^can't be decoded: [^\n]+$/ });
});

test('other formats are refused, whatever their name: no decoder but three reads what a stranger made', async (t) => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="4" height="4"/></svg>';
  const gif = Buffer.from('R0lGODdhAQABAIAAAAAAAP///ywAAAAAAQABAAACAkQBADs=', 'base64');
  for (const bytes of [Buffer.from(svg), gif])
    await t.throwsAsync(decode({ format: 'jpeg', bytes }), {
      message: /: it is (text|a GIF).*, not a JPEG, PNG or WebP$/,
    });
});

test('greys of 16 bits are their upper 8', async (t) => {
  // [[0x0102, 0xfe03]].
  const file =
    'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAAAAACB2fwVAAAADUlEQVR4nGNgZPrHDAACDgEFC75D3AAAAABJRU5ErkJggg==';
  const { bytes } = await decode({ format: 'png', bytes: Buffer.from(file, 'base64') });
  t.deepEqual([...bytes], [1, 1, 1, 0xfe, 0xfe, 0xfe]);
});

test('a raw image whose bytes are not as many as it says is refused', async (t) => {
  const raw = { format: 'raw', height: 4, width: 4 } as const;
  const cases = [
    { ...raw, channels: 3, bytes: new Uint8Array(47) },
    { ...raw, channels: 3, bytes: new Uint8Array(49) },
    { ...raw, channels: 1, bytes: new Uint8Array(48) },
    { ...raw, height: 0, channels: 1, bytes: new Uint8Array() },
    { ...raw, channels: 4 as 3, bytes: new Uint8Array(64) },
  ] as const;
  for (const image of cases) await t.throwsAsync(decode(image), { message: /^has \d+ bytes, but says that/ });
});

// Made by odd.py beside it.
const odd = JSON.parse(
  readFileSync(new URL('../../../fixtures/pillow/odd.json', import.meta.url), 'utf8'),
) as {
  cases: readonly (Partial<Case> & {
    readonly name: string;
    readonly file: string;
    readonly refused?: string;
  })[];
};

test('files as they turn up in real folders: byte for byte as Pillow, or refused as there, whatever their name says', async (t) => {
  const refused: { [name: string]: string } = {};
  for (const { name, file, height, width, bytes } of odd.cases) {
    try {
      const made = await decode({ format: 'jpeg', bytes: Buffer.from(file, 'base64') });
      t.deepEqual([made.height, made.width, made.channels], [height, width, 3], name);
      t.is(Buffer.from(made.bytes).toString('base64'), bytes!, name);
    } catch (error) {
      t.true(error instanceof BadImage, name);
      refused[name] = (error as Error).message;
    }
  }
  // Pillow reads the other formats, too.
  const theirs = odd.cases.filter((one) => one.refused !== undefined).map(({ name }) => name);
  t.deepEqual(Object.keys(refused).sort(), [...theirs, 'GIF', 'BMP', 'TIFF', 'PPM'].sort());
  t.snapshot(refused);
});

test('an image of too many pixels is refused by its header, before anything is decoded', async (t) => {
  // 60,000 x 60,000 grey pixels, in 10 MB of zeros packed to nothing: none of it is there.
  const file = Buffer.from(cases.find(({ name }) => name === 'PNG, grey')!.file, 'base64');
  file.writeUInt32BE(60_000, 16);
  file.writeUInt32BE(60_000, 20);
  file.writeUInt32BE(crc32(file.subarray(12, 29)), 29);
  const error = await t.throwsAsync(decode({ format: 'png', bytes: file }), { instanceOf: BadImage });
  t.is(error?.message, 'has 60000 x 60000 pixels, more than 100,000,000');
  t.is(error?.hint, 'raise `maxPixels` of the data set, or replace the image');
  const small = Buffer.from(cases[0]!.file, 'base64');
  await t.notThrowsAsync(decode({ format: 'jpeg', bytes: small, maxPixels: 240 }));
  await t.throwsAsync(decode({ format: 'jpeg', bytes: small, maxPixels: 239 }), {
    message: 'has 20 x 12 pixels, more than 239',
  });
});

test('headers say the sizes that images have when they are decoded, or that a file is none', async (t) => {
  const project = createProject(t, {});
  const sizeOf = async (bytes: Uint8Array) => {
    writeFileSync(project.file('image'), bytes);
    return imageSize(project.file('image'));
  };
  for (const { name, file, height, width } of [...cases, ...odd.cases]) {
    const bytes = Buffer.from(file, 'base64');
    const isOurs = height !== undefined && !['GIF', 'BMP', 'TIFF', 'PPM'].includes(name);
    if (isOurs) t.deepEqual(await sizeOf(bytes), { height, width: width! }, name);
  }
  // A preview of 40 kB before the header, as cameras write it: more than is read at first.
  const jpeg = Buffer.from(cases.find(({ format }) => format === 'jpeg')!.file, 'base64');
  const preview = Buffer.concat([Buffer.from([0xff, 0xe1, 0x9c, 0x42]), Buffer.alloc(40_000)]);
  t.deepEqual(await sizeOf(Buffer.concat([jpeg.subarray(0, 2), preview, jpeg.subarray(2)])), {
    ...{ height: 12, width: 20 },
  });
  for (const bytes of [new Uint8Array(), Buffer.from('GIF89a'), jpeg.subarray(0, 30)])
    await t.throwsAsync(sizeOf(bytes), { instanceOf: BadImage, message: /^can't be decoded: / });
  await t.throwsAsync(imageSize(project.file('gone')), { message: "can't be read (ENOENT)" });
});
