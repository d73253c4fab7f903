import test from 'ava';
import fc from 'fast-check';
import type { z } from 'zod';
import type { Labels } from '../../../../components/data/decode/label-map.ts';
import { expectSegmentationView } from '../../../../components/data/dense/expect.ts';
import { renderSegmentation } from '../../../../components/data/dense/render-segmentation.ts';
import {
  openSegmentationLoader,
  segmentationPass,
} from '../../../../components/data/dense/segmentation-loader.ts';
import {
  edgesOf,
  segmentationViewSchema,
  stillSegmentationViewSchema,
} from '../../../../components/data/dense/segmentation-view.ts';
import { smokeDenseView } from '../../../../components/data/smoke.ts';
import { noClass } from '../../../../components/data/targets.ts';
import { type Blocks, blocks, colourOf, labelled } from './support.ts';

const fill = [1, 2, 3] as const;

/** A picture as a training sees it, without distortion unless said. */
function render(
  { labels, image }: Blocks,
  index: number,
  fields: z.input<typeof segmentationViewSchema> & { size: number },
) {
  const view = segmentationViewSchema.parse({ distortion: 'none', fill, ...fields });
  const { height, width } = image;
  const target: Labels = { labels, height, width };
  const { size } = fields;
  return renderSegmentation(image, target, { ...view, size, edges: edgesOf(view, size) }, [3, 'a', 0, index]);
}

test('each pixel shows the colour of its label, through any size, crop and flip; the rest is padding', (t) => {
  fc.assert(
    fc.property(
      fc.record({
        height: fc.integer({ min: 8, max: 60 }),
        width: fc.integer({ min: 8, max: 60 }),
        block: fc.integer({ min: 5, max: 20 }),
        size: fc.integer({ min: 8, max: 40 }),
        index: fc.nat(1000),
      }),
      ({ height, width, block, size, index }) => {
        const picture = blocks({ height, width, block }, (row, column) =>
          (row + column) % 7 === 3 ? noClass : (2 * row + column) % 6,
        );
        const { image, labels } = render(picture, index, { size, shorter: Math.min(height, width) });
        const at = (y: number, x: number) => labels[y * size + x]!;
        const colour = (y: number, x: number) => [
          ...image.subarray((y * size + x) * 3, (y * size + x) * 3 + 3),
        ];
        // Where the picture ends: all before shows a label's colour or a mixture, none of which is the padding's.
        const isPadding = (y: number, x: number) => String(colour(y, x)) === String(fill);
        const [across, down] = [0, 1].map((axis) => {
          let end = 0;
          while (end < size && !isPadding(axis ? end : 0, axis ? 0 : end)) end++;
          return end;
        }) as [number, number];
        t.true(across > 0 && down > 0 && Math.max(across, down) > Math.min(size, 3));
        for (let y = 0; y < size; y++)
          for (let x = 0; x < size; x++) {
            if (y >= down || x >= across) {
              if (!isPadding(y, x) || at(y, x) !== noClass) t.fail(`padding at ${y}, ${x}`);
              continue;
            }
            // Inside a block nothing mixes colours. Edges of colours may be two pixels away from those of labels.
            let isInside = Math.min(y, x, down - y - 1, across - x - 1) >= 3;
            for (let v = y - 3; v < y + 4; v++)
              for (let u = x - 3; u < x + 4; u++) if (at(v, u) !== at(y, x)) isInside = false;
            if (isInside && String(colour(y, x)) !== String(colourOf(at(y, x))))
              t.fail(`${colour(y, x)} instead of label ${at(y, x)} at ${y}, ${x}`);
          }
      },
    ),
    { numRuns: 60 },
  );
});

test('at half size each second pixel of the label map is shown, and with flips of all images the mirror image', (t) => {
  const picture = blocks({ height: 6, width: 8, block: 1 }, (row, column) => (row * 3 + column) % 6);
  // Edges of 3 and more: 6 x 8 becomes 3 x 4, of which the canvas has 4 x 4.
  const fields = { size: 4, shorter: 3, scale: [1, 1] as [number, number] };
  const [plain, mirrored] = [
    render(picture, 0, { ...fields, flip: 0 }),
    render(picture, 0, { ...fields, flip: 1 }),
  ];
  const none = [255, 255, 255, 255];
  t.deepEqual([...plain.labels], [0, 2, 4, 0, 0, 2, 4, 0, 0, 2, 4, 0, ...none]);
  t.deepEqual([...mirrored.labels], [0, 4, 2, 0, 0, 4, 2, 0, 0, 4, 2, 0, ...none]);
  const pixels = (image: Uint8Array) =>
    Array.from({ length: 16 }, (_, n) => image.subarray(3 * n, 3 * n + 3));
  const [shown, turned] = [pixels(plain.image), pixels(mirrored.image)];
  for (let pixel = 0; pixel < 12; pixel++)
    t.deepEqual(turned[pixel], shown[4 * Math.floor(pixel / 4) + 3 - (pixel % 4)]);
  t.deepEqual(turned[15], Uint8Array.from(fill));
});

test('crops in which a class has three quarters are drawn again', (t) => {
  const halves = blocks({ height: 64, width: 64, block: 32 }, (_, column) => column);
  const large = (maxClassShare: number) =>
    Array.from({ length: 200 }, (_, index) => {
      const { labels } = render(halves, index, { size: 24, shorter: 64, scale: [1, 1], maxClassShare });
      const ones = labels.filter((label) => label === 1).length;
      return Math.max(ones, 576 - ones) / 576 >= 0.75;
    }).filter(Boolean).length;
  // Of 41 places 30 have too much of one class; 3 % of all images have eleven such draws in a row.
  t.true(Math.abs(large(1) - 146) < 30, String(large(1)));
  t.true(large(0.75) < 20, String(large(0.75)));
  // A map of one class is shown as it is drawn.
  const one = blocks({ height: 64, width: 64, block: 64 }, () => 2);
  t.true(render(one, 0, { size: 24, shorter: 64 }).labels.every((label) => label === 2));
});

test('colours change by default, the same for each pixel of a colour, and padding stays', (t) => {
  const picture = blocks({ height: 20, width: 40, block: 20 }, (_, column) => column);
  const shown = new Set<string>();
  for (let index = 0; index < 20; index++) {
    const { image } = render(picture, index, { size: 40, shorter: 20, scale: [1, 1], distortion: {} });
    shown.add(String(image.subarray(0, 3)));
    t.deepEqual(image.subarray(15, 18), image.subarray(0, 3));
    t.deepEqual([...image.subarray(-3)], [...fill]);
  }
  t.true(shown.size > 10, String(shown.size));
});

test('a test sees whole images at each scale, and the label map as it is', async (t) => {
  const all = [
    blocks({ height: 12, width: 16, block: 4 }, (row, column) => (row + column) % 5),
    blocks({ height: 30, width: 10, block: 10 }, (row) => row),
  ];
  const view = stillSegmentationViewSchema.parse({ shorter: 12, longer: 16, scales: [1, 0.5] });
  const seen = [];
  for await (const one of segmentationPass(labelled(all), { view, size: 8, workers: 0 })) seen.push(one);
  t.deepEqual(
    seen.map(({ index, pictures }) => [index, ...pictures.map(({ shape }) => shape)]),
    [
      [0, [12, 16, 3], [6, 8, 3]],
      // The longer edge has at most 16 pixels, and 8.
      [1, [16, 5, 3], [8, 3, 3]],
    ],
  );
  t.deepEqual(seen[0]!.pictures[0]!.data, all[0]!.image.bytes);
  t.deepEqual(seen[1]!.target, { labels: all[1]!.labels, height: 30, width: 10 });
  // Of what the view leaves out, the training's size: 8, and 32 at most.
  const sizes = [];
  for await (const { pictures } of segmentationPass(labelled(all), {
    view: stillSegmentationViewSchema.parse({}),
    size: 8,
    workers: 0,
  }))
    sizes.push(pictures[0]!.shape);
  t.deepEqual(sizes, [
    [8, 11, 3],
    [24, 8, 3],
  ]);
});

test('a label map that does not fit its image is refused by name', async (t) => {
  const good = labelled([blocks({ height: 8, width: 8, block: 4 }, () => 1)]);
  const load = (target: object, more: object = {}) => {
    const data = { ...good, ...more, target: async () => ({ ...(await good.target(0)), ...target }) };
    const view = segmentationViewSchema.parse({ size: 8 });
    return openSegmentationLoader(data, { batchSize: 1, seed: 0, purpose: 'a', view, workers: 0 }).batch(0);
  };
  await t.throwsAsync(load({ height: 4, width: 16 }), {
    message: 'image 0 of blocks: has 8 x 8 pixels, but its label map has 16 x 4',
  });
  await t.throwsAsync(load({}, { classes: ['only one'] }), {
    message: /^image 0 of blocks: its label map: has numbers of no class \(1; 64 of 64 pixels/,
  });
  t.throws(() => load({}, { classes: Array.from({ length: 255 }, String) }), {
    message: 'blocks has 255 classes, more than 254',
  });
});

test('what a view leaves to the data is asked for before anything runs', (t) => {
  const facts = { size: null, classes: 300 };
  const issues = expectSegmentationView({}, { name: 'train', facts } as never);
  t.deepEqual(
    issues.map(({ path, message }) => [path.join('.'), message]),
    [
      ['view.size', 'is missing'],
      ['view', 'train has 300 classes, more than 254'],
    ],
  );
  t.deepEqual(expectSegmentationView({ size: 512 }, { name: 'train', facts: { size: null } } as never), []);
  t.deepEqual(smokeDenseView({ size: 512, longer: 2048, shorter: 480 }, { real: 512, smoke: 32 }), {
    ...{ size: 32, longer: 128, shorter: 30 },
  });
});
