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
