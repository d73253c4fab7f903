import { readFileSync } from 'node:fs';
import test from 'ava';
import type { Pixels } from '../../../../components/data/types.ts';
import type { Interpolation } from '../../../../components/data/views/view.ts';
import { resampled } from './support.ts';

interface Case {
  readonly source: readonly [height: number, width: number, channels: 1 | 3];
  readonly part: readonly [left: number, top: number, right: number, bottom: number];
  readonly size: readonly [width: number, height: number];
  readonly filter: Interpolation;
  readonly bytes: string;
}

// Made by make.py beside it.
const file = new URL('../../../fixtures/pillow/resample.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly Case[] };

/** As `noise` of make.py. */
function noise(height: number, width: number, channels: 1 | 3): Pixels {
  let state = 1;
  const bytes = Uint8Array.from({ length: height * width * channels }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const byte = state >>> 24;
    return byte < 64 ? 0 : byte > 192 ? 255 : byte;
  });
  return { bytes, height, width, channels };
}

for (const { source, part, size, filter, bytes } of cases) {
  const [left, top, right, bottom] = part;
  const [width, height] = size;
  test(`${filter}, the part ${part} of ${source} to ${size}: byte for byte as Pillow`, (t) => {
    const whole = { top: 0, left: 0, height, width };
    const window = { top, left, height: bottom - top, width: right - left };
    const made = resampled(noise(...source), window, whole, whole, filter);
    t.deepEqual([made.height, made.width, made.channels], [height, width, source[2]]);
    t.is(Buffer.from(made.bytes).toString('hex'), bytes);
  });
}

test('a window of the result has the bytes that it has in the whole result', (t) => {
  const source = noise(23, 31, 3);
  const part = { top: 3, left: 4, height: 17, width: 21 };
  for (const filter of ['bilinear', 'bicubic', 'lanczos'] as const) {
    const size = { height: 12, width: 9 };
    const whole = resampled(source, part, size, { top: 0, left: 0, ...size }, filter);
    const { bytes } = resampled(source, part, size, { top: 5, left: 2, height: 4, width: 6 }, filter);
    for (let y = 0; y < 4; y++) {
      const from = ((y + 5) * 9 + 2) * 3;
      t.deepEqual(bytes.subarray(y * 18, (y + 1) * 18), whole.bytes.subarray(from, from + 18));
    }
  }
});
