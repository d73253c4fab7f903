import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import type { Pixels, Window } from '../../../../../components/data/types.ts';
import { type Change, jitterByTables, jitterPart } from '../../../../../components/data/views/jitter.ts';
import { repository } from '../../../../support/project.ts';
import { resampled } from '../support.ts';
import { plainResample } from './oracle.ts';

test('compiled.ts is what its sources are compiled to', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'peco-wasm-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const compiled = path.join(folder, 'compiled.ts');
  execFileSync(process.execPath, ['bin/wasm.mjs', compiled], { cwd: repository });
  const committed = path.join(repository, 'components/data/views/simd/compiled.ts');
  t.is(readFileSync(compiled, 'utf8'), readFileSync(committed, 'utf8'), 'run: node bin/wasm.mjs');
});

/** Images with runs of black and white, where filters overshoot. */
const images = (channels: readonly (1 | 3)[]): fc.Arbitrary<Pixels> =>
  fc
    .record({
      height: fc.integer({ min: 1, max: 40 }),
      width: fc.integer({ min: 1, max: 40 }),
      channels: fc.constantFrom(...channels),
      seed: fc.integer(),
    })
    .map(({ height, width, channels, seed }) => {
      let state = seed;
      const bytes = Uint8Array.from({ length: height * width * channels }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        return Math.min(255, Math.max(0, ((state >>> 16) % 512) - 128));
      });
      return { bytes, height, width, channels };
    });

/** An image and a part of it. */
const parts = (channels: readonly (1 | 3)[]): fc.Arbitrary<readonly [Pixels, Window]> =>
  images(channels).chain((image) =>
    fc
      .tuple(...[image.height, image.width].flatMap((side) => [fc.integer({ min: 1, max: side }), fc.nat()]))
      .map(([height, down, width, right]) => {
        const top = down! % (image.height - height! + 1);
        const left = right! % (image.width - width! + 1);
        return [image, { top, left, height: height!, width: width! }] as const;
      }),
  );

const side = fc.integer({ min: 1, max: 50 });

test('resized, all sizes and parts have the bytes of the plain sums, mirrored ones too', (t) => {
  const filters = fc.constantFrom('bilinear', 'bicubic', 'lanczos');
  const property = fc.property(parts([1, 3]), side, side, filters, ([image, part], height, width, filter) => {
    const size = { height, width };
    const whole = { top: 0, left: 0, ...size };
    const { bytes: expected, channels } = plainResample(image, part, size, filter);
    const made = resampled(image, part, size, whole, filter);
    t.deepEqual(made, { bytes: expected, ...size, channels });
    const mirrored = Uint8Array.from(expected, (_, i) => {
      const [y, x, c] = [Math.floor(i / (width * channels)), Math.floor(i / channels) % width, i % channels];
      return expected[(y * width + width - 1 - x) * channels + c]!;
    });
    t.deepEqual(resampled(image, part, size, whole, filter, true).bytes, mirrored);
  });
  fc.assert(property, { numRuns: 150 });
});

test('colours changed four pixels at once have the bytes that the tables give', (t) => {
  const change: fc.Arbitrary<Change> = fc.record({
    kind: fc.constantFrom('brightness', 'contrast', 'saturation'),
    factor: fc.double({ min: 0, max: 3, noNaN: true }),
  });
  // Contrast once: its mean is that of the changes before it.
  const changes = fc.uniqueArray(change, { maxLength: 3, selector: ({ kind }) => kind });
  const property = fc.property(parts([3]), changes, ([image, part], list) => {
    t.deepEqual(jitterPart(image, part, list), jitterByTables(image, part, list));
  });
  fc.assert(property, { numRuns: 300 });
});

test('an image larger than any before fits, and so does the next', (t) => {
  const size = { height: 2, width: 2 };
  const whole = { top: 0, left: 0, ...size };
  for (const side of [5, 6000, 3]) {
    const image: Pixels = {
      bytes: new Uint8Array(side * side * 3).fill(7),
      height: side,
      width: side,
      channels: 3,
    };
    const part = { top: 0, left: 0, height: side, width: side };
    t.deepEqual([...resampled(image, part, size, whole, 'bicubic').bytes], Array(12).fill(7));
  }
});
