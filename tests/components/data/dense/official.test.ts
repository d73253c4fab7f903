import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { type Change, distort, drawDistortion } from '../../../../components/data/dense/distortion.ts';
import { distortionSchema } from '../../../../components/data/dense/distortion-config.ts';
import { sizeByEdges, sizeInSquare } from '../../../../components/data/dense/geometry.ts';
import { seeInstances } from '../../../../components/data/dense/instances.ts';
import { fillNearest, nearestPlaces } from '../../../../components/data/dense/nearest.ts';
import { Workspace } from '../../../../components/data/views/simd/kernels.ts';
import { random } from '../../../../components/nn/random.ts';

type Pair = readonly [height: number, width: number];

/** What OpenCV, numpy and pycocotools give (tests/fixtures/dense/make.py). */
const fixture = JSON.parse(
  readFileSync(new URL('../../../fixtures/dense/dense.json', import.meta.url), 'utf8'),
) as {
  readonly distortions: readonly {
    readonly steps: readonly Change[];
    readonly noise: string;
    readonly dull: string;
  }[];
  readonly nearest: readonly { readonly from: Pair; readonly to: Pair; readonly digest: string }[];
  readonly edges: readonly { readonly image: Pair; readonly factor: number; readonly size: Pair }[];
  readonly shortest: readonly {
    readonly image: Pair;
    readonly shorter: number;
    readonly longer: number;
    readonly size: Pair;
  }[];
  readonly scale: readonly { readonly image: Pair; readonly factor: number; readonly size: Pair }[];
  readonly masks: {
    readonly image: Pair;
    readonly outlines: readonly (readonly number[])[];
    readonly cases: readonly {
      readonly resized: Pair;
      readonly window: readonly [top: number, left: number, height: number, width: number];
      readonly flipped: boolean;
      readonly rows: readonly string[];
    }[];
  };
};

/** As `noise` of make.py. */
function noise(count: number): Uint8Array {
  let state = 7;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const distorted = (picture: Uint8Array, changes: readonly Change[]) =>
  Workspace.use((space) => distort(space, picture, changes));
const sizeOf = ([height, width]: Pair) => ({ height, width });

test('colours change as mmsegmentation changes them by OpenCV 4, to the byte', (t) => {
  const image = noise(24 * 64 * 3);
  const dull = image.map((byte) => Math.floor(byte / 16) + 100);
  for (let pixel = 0; pixel < 4 * 64; pixel++) dull.fill(dull[3 * pixel]!, 3 * pixel, 3 * pixel + 3);
  for (const { steps, noise: loud, dull: low } of fixture.distortions) {
    for (const [picture, expected] of [
      [image.slice(), loud],
      [dull.slice(), low],
    ] as const) {
      t.is(digest(distorted(picture, steps)), expected, JSON.stringify(steps));
    }
  }
});

test('each pixel changes by itself, however many there are', (t) => {
  const image = noise(64 * 3);
  for (const { steps } of fixture.distortions)
    for (let bytes = 3; bytes <= 30; bytes += 3)
      t.deepEqual(distorted(image.subarray(0, bytes), steps), distorted(image, steps).subarray(0, bytes));
});

test('each change of colours happens half of the time, with a value of its range, contrast first or last', (t) => {
  const config = distortionSchema.parse({});
  const counts = { brightness: 0, contrast: 0, saturation: 0, hue: 0, first: 0, both: 0 };
  const turns = new Set<number>();
  const many = 4000;
  for (let draw = 0; draw < many; draw++) {
    const changes = drawDistortion(config, random(1, 'draw', draw));
    const names = changes.map((change) => {
      if (change.kind === 'hue') turns.add(change.turn);
      if (change.kind !== 'bytes') return change.kind;
      if (change.factor === 1) return 'brightness';
      t.true(change.factor >= 0.5 && change.factor <= 1.5);
      return 'contrast';
    });
    for (const name of names) counts[name]++;
    const [contrast, saturation] = [names.indexOf('contrast'), names.indexOf('saturation')];
    if (contrast < 0 || saturation < 0) continue;
    counts.both++;
    if (contrast < saturation) counts.first++;
  }
  // Deviations of a half of so many: 32; of those with both, 16.
  for (const name of ['brightness', 'contrast', 'saturation', 'hue'] as const)
    t.true(Math.abs(counts[name] - many / 2) < 130, `${name} ${counts[name]}`);
  t.true(Math.abs(counts.first - counts.both / 2) < 65, `${counts.first} of ${counts.both}`);
  t.deepEqual([Math.min(...turns), Math.max(...turns), turns.size], [-18, 17, 36]);
});

test('label maps are resized as by INTER_NEAREST of OpenCV, and mirrored', (t) => {
  for (const { from, to, digest: expected } of fixture.nearest) {
    const map = noise(from[0] * from[1]);
    const [source, resized] = [sizeOf(from), sizeOf(to)];
    const window = { top: 0, left: 0, ...resized };
    const size = Math.max(...to);
    const show = (mirrored: boolean): Uint8Array[] => {
      const canvas = new Uint8Array(size * size);
      fillNearest(map, from[1], nearestPlaces({ source, resized, window, mirrored }), canvas, size);
      return Array.from({ length: to[0] }, (_, y) => canvas.slice(y * size, y * size + to[1]));
    };
    t.is(digest(Buffer.concat(show(false))), expected, `${from} to ${to}`);
    t.deepEqual(
      show(true),
      show(false).map((row) => row.reverse()),
    );
  }
});

test('images have the sizes that mmcv and detectron2 give them', (t) => {
  for (const { image, factor, size } of fixture.edges)
    t.deepEqual(sizeByEdges(sizeOf(image), { shorter: 512, longer: 2048 }, factor), sizeOf(size));
  for (const { image, shorter, longer, size } of fixture.shortest)
    t.deepEqual(sizeByEdges(sizeOf(image), { shorter, longer }), sizeOf(size));
  for (const { image, factor, size } of fixture.scale)
    t.deepEqual(sizeInSquare(sizeOf(image), 1024 * factor), sizeOf(size));
  // Of an image that is all but a line a pixel is left.
  t.deepEqual(sizeByEdges({ height: 1, width: 9000 }, { shorter: 512, longer: 2048 }), {
    height: 1,
    width: 2048,
  });
  t.deepEqual(sizeInSquare({ height: 1, width: 9000 }, 64), { height: 1, width: 64 });
});

test('outlines are moved as detectron2 moves them, and drawn as pycocotools draws them', (t) => {
  const { image, outlines, cases } = fixture.masks;
  for (const { resized, window, flipped, rows } of cases) {
    const [top, left, height, width] = window;
    const size = Math.max(height, width);
    const seen = seeInstances(
      [{ id: 1, class: 0, box: [10, 2, 28, 25], area: 300, crowd: false, mask: { outlines } }],
      {
        source: sizeOf(image),
        resized: sizeOf(resized),
        window: { top, left, height, width },
        mirrored: flipped,
      },
      { size, maskStride: 1, maxInstances: 1 },
    );
    const shown = Array.from({ length: height }, (_, y) =>
      seen.masks.slice(y * size, y * size + width).join(''),
    );
    t.deepEqual(shown, rows);
  }
});
