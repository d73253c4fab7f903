import { readFileSync } from 'node:fs';
import test from 'ava';
import { decode } from '../../../../components/data/decode/decode.ts';

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
    await t.throwsAsync(decode({ format: 'jpeg', bytes }), { message: /unsupported image format$/ });
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
