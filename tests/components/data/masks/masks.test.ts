import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { boxOverlaps, maskOverlaps, measure, mergeMasks } from '../../../../components/data/masks/overlap.ts';
import { boxRuns, polygonRuns, runsOf } from '../../../../components/data/masks/polygon.ts';
import {
  type Box,
  decodeMask,
  encodeMask,
  encodeWindow,
  type MaskSize,
  maskArea,
  maskBox,
} from '../../../../components/data/masks/runs.ts';
import { runsOfText, textOfRuns } from '../../../../components/data/masks/text.ts';

type Size = readonly [height: number, width: number];

// Made by pycocotools (tests/fixtures/coco/masks.py).
const official = JSON.parse(
  readFileSync(new URL('../../../fixtures/coco/masks.json', import.meta.url), 'utf8'),
) as {
  readonly polygons: readonly { size: Size; outline: number[]; runs: string }[];
  readonly boxes: readonly { size: Size; box: Box; runs: string }[];
  readonly bitmaps: readonly {
    size: Size;
    rows?: string[];
    counts?: number[];
    runs: string;
    area: number;
    box: Box;
  }[];
  readonly groups: readonly {
    size: Size;
    masks: string[];
    union: string;
    intersection: string;
    common: string;
    crowd: boolean[];
    overlaps: number[][];
  }[];
  readonly boxOverlaps: { boxes: Box[]; crowd: boolean[]; overlaps: number[][] };
};

const sizeOf = ([height, width]: Size): MaskSize => ({ height, width });

test('outlines have the very pixels of pycocotools', (t) => {
  for (const { size, outline, runs } of official.polygons)
    t.is(textOfRuns(polygonRuns(outline, sizeOf(size))), runs, `${outline} in ${size}`);
  for (const { size, box, runs } of official.boxes) {
    t.is(textOfRuns(boxRuns(box, sizeOf(size))), runs, `${box}`);
  }
});

test('bitmaps have the run lengths, the text, the area and the box of pycocotools', (t) => {
  for (const { size, rows, counts, runs: text, area, box } of official.bitmaps) {
    const runs = runsOfText(text, sizeOf(size));
    if (counts) t.deepEqual([...runs.counts], counts);
    t.is(textOfRuns(runs), text);
    if (rows) {
      const bitmap = Uint8Array.from(rows.join(''), Number);
      t.deepEqual(encodeMask(bitmap, sizeOf(size)), runs);
      t.deepEqual(decodeMask(runs), bitmap);
    }
    t.is(maskArea(runs), area);
    // Of an empty mask with two runs pycocotools gives a box of 2^32 pixels; there is nothing to be in it.
    t.deepEqual(maskBox(runs), area === 0 ? [0, 0, 0, 0] : box);
  }
});

test('unions, intersections and overlaps with crowds are those of pycocotools', (t) => {
  for (const { size, masks, union, intersection, common, crowd, overlaps } of official.groups) {
    const all = masks.map((text) => runsOfText(text, sizeOf(size)));
    t.is(textOfRuns(mergeMasks(all, 'union')), union);
    t.is(textOfRuns(mergeMasks(all, 'intersection')), intersection);
    t.is(textOfRuns(mergeMasks(all.slice(0, 2), 'intersection')), common);
    const measured = all.map(measure);
    t.deepEqual([...maskOverlaps(measured, measured, crowd)], overlaps.flat());
  }
  const { boxes, crowd, overlaps } = official.boxOverlaps;
  t.deepEqual([...boxOverlaps(boxes, boxes, crowd)], overlaps.flat());
});

const bitmaps = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([height, width]) =>
    fc.record({
      height: fc.constant(height),
      width: fc.constant(width),
      bitmap: fc.uint8Array({ minLength: height * width, maxLength: height * width, max: 1 }),
      other: fc.uint8Array({ minLength: height * width, maxLength: height * width, max: 1 }),
    }),
  );

test('run lengths and bitmaps are two forms of one mask', (t) => {
  const all = fc.property(bitmaps, ({ height, width, bitmap, other }) => {
    const [runs, second] = [encodeMask(bitmap, { height, width }), encodeMask(other, { height, width })];
    t.deepEqual(decodeMask(runs), bitmap);
    t.deepEqual(runsOfText(textOfRuns(runs), { height, width }), runs);
    t.is(
      maskArea(runs),
      bitmap.reduce((sum, bit) => sum + bit, 0),
    );
    t.deepEqual(
      decodeMask(mergeMasks([runs, second], 'union')),
      bitmap.map((bit, i) => bit | other[i]),
    );
    const both = bitmap.map((bit, i) => bit & other[i]);
    t.deepEqual(mergeMasks([runs, second], 'intersection'), encodeMask(both, { height, width }));
    const [overlap] = maskOverlaps([measure(runs)], [measure(second)], [false]);
    const common = both.reduce((sum, bit) => sum + bit, 0);
    t.is(overlap, common && common / maskArea(mergeMasks([runs, second], 'union')));
  });
  fc.assert(all, { seed: 3, numRuns: 150 });
});

test('a window of an image has the run lengths of the whole image', (t) => {
  const places = fc.tuple(bitmaps, fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3));
  const all = fc.property(places, ([{ height, width, bitmap }, top, left, below, right]) => {
    const size = { height: top + height + below, width: left + width + right };
    const image = new Uint8Array(size.height * size.width);
    for (let row = 0; row < height; row++)
      image.set(bitmap.subarray(row * width, (row + 1) * width), (top + row) * size.width + left);
    const window = { top, left, height, width };
    t.deepEqual(encodeWindow(bitmap, window, size), encodeMask(image, size));
  });
  fc.assert(all, { seed: 4, numRuns: 150 });
});

test('the mask of an annotation is in any of its outlines; run lengths of another size are refused', (t) => {
  const size = { height: 8, width: 8 };
  const outlines = [
    [0, 0, 2, 0, 2, 8, 0, 8],
    [6, 0, 8, 0, 8, 8, 6, 8],
  ];
  const runs = runsOf({ outlines }, size);
  t.deepEqual([...runs.counts], [0, 16, 32, 16]);
  t.is(runsOf(runs, size), runs);
  const refused = (work: () => unknown) => t.throws(work, { instanceOf: RangeError })?.message;
  t.snapshot([
    refused(() => runsOf(runs, { height: 4, width: 16 })),
    refused(() => runsOf({ ...size, counts: Uint32Array.of(1, 2) }, size)),
    refused(() => runsOf({ outlines: [] }, size)),
    refused(() => polygonRuns([1, 1, 5, 5], size)),
    refused(() => polygonRuns([1, 1, 5, 5, Number.NaN, 2], size)),
    refused(() => polygonRuns([1, 1, 5, 5, 1e300, 2], size)),
    refused(() => runsOfText('P', size)),
    refused(() => runsOfText('1 ', size)),
    refused(() => runsOfText('1', size)),
    refused(() => runsOfText('O', size)),
    refused(() => mergeMasks([runs, { ...runs, height: 16, width: 4 }], 'union')),
    refused(() => encodeMask(new Uint8Array(3), size)),
  ]);
});
