import test from 'ava';
import { PNG } from 'pngjs';
import {
  type Canvas,
  canvasOf,
  emptyCanvas,
  encodePng,
  gridOf,
  rescaled,
  viewingFactor,
} from '../../../components/data/picture/canvas.ts';
import {
  colourOf,
  outlineBox,
  overlayLabels,
  overlayMask,
  writeText,
} from '../../../components/data/picture/draw.ts';

/** One letter a pixel: its red, green or blue where that alone is full, otherwise . for white and # for the rest. */
const letters = ({ bytes, width, height }: Canvas) =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      const pixel = [...bytes.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)].join();
      const names: { [colour: string]: string } = {
        '255,255,255': '.',
        '255,0,0': 'r',
        '0,255,0': 'g',
        '0,0,255': 'b',
      };
      return names[pixel] ?? '#';
    }).join(''),
  );

test("classes have the colours of PASCAL VOC's map, after black", (t) => {
  // The published map: 128 0 0, 0 128 0, 128 128 0, 0 0 128, ..., 64 0 0, and of 21 classes the last 0 64 128.
  t.deepEqual(colourOf(0), [128, 0, 0]);
  t.deepEqual(colourOf(1), [0, 128, 0]);
  t.deepEqual(colourOf(2), [128, 128, 0]);
  t.deepEqual(colourOf(7), [64, 0, 0]);
  t.deepEqual(colourOf(19), [0, 64, 128]);
  t.is(new Set(Array.from({ length: 255 }, (_, i) => colourOf(i).join())).size, 255);
});

test('labels and masks are mixed into a picture, and no class is left alone', (t) => {
  const canvas = emptyCanvas(1, 3, [100, 100, 100]);
  overlayLabels(canvas, [0, 255, 1], 0.5);
  t.deepEqual([...canvas.bytes], [114, 50, 50, 100, 100, 100, 50, 114, 50]);
  overlayMask(canvas, [0, 1, 0], [200, 0, 0], 1);
  t.deepEqual([...canvas.bytes.subarray(3, 6)], [200, 0, 0]);
});

test('a box covers its pixels, the right and lower edges exclusive, and may reach beyond the picture', (t) => {
  const canvas = emptyCanvas(4, 5);
  outlineBox(canvas, [1, 1, 4, 4], [255, 0, 0]);
  outlineBox(canvas, [4, -3, 9, 1], [0, 0, 255]);
  t.deepEqual(letters(canvas), ['....b', '.rrr.', '.r.r.', '.rrr.']);
});

test('text is written as far as there is room', (t) => {
  const canvas = emptyCanvas(10, 13, [0, 255, 0]);
  writeText(canvas, 'Tab', { left: 0, top: 0, ground: [255, 255, 255] });
  // T and a as the font's BDF file has them, a dot from the left; b has no room.
  t.deepEqual(letters(canvas), [
    '...........gg',
    '..###......gg',
    '...#.......gg',
    '...#...###.gg',
    '...#..#..#.gg',
    '...#..#..#.gg',
    '...#...###.gg',
    '...........gg',
    '...........gg',
    'ggggggggggggg',
  ]);
  // At the right edge it stands further left.
  const [shifted, same] = [emptyCanvas(9, 13), emptyCanvas(9, 13)];
  writeText(shifted, 'Ta', { left: 11, top: 0, ground: [255, 255, 255] });
  writeText(same, 'Ta', { left: 2, top: 0, ground: [255, 255, 255] });
  t.deepEqual(letters(shifted), letters(same));
});

test('a grid gives each column its widest picture and each row its highest', (t) => {
  const [red, blue] = [emptyCanvas(1, 2, [255, 0, 0]), emptyCanvas(2, 1, [0, 0, 255])];
  t.deepEqual(
    letters(gridOf([[red, blue], [blue]], 1)),
    [
      '......', // a gap, two columns of 2 and 1, gaps
      '.rr.b.',
      '....b.',
      '......',
      '.b....',
      '.b....',
      '......',
    ].map((row) => row.slice(0, 6)),
  );
});

test('pictures are enlarged and reduced by whole factors', (t) => {
  t.is(viewingFactor(64), 2);
  t.is(viewingFactor(100), 2);
  t.is(viewingFactor(128), 1);
  t.is(viewingFactor(512), 1);
  t.is(viewingFactor(1025), 1 / 3);
  const grey = canvasOf({ bytes: Uint8Array.of(0, 255, 10, 20), height: 2, width: 2, channels: 1 });
  t.deepEqual([...rescaled(grey, 1 / 2).bytes], [71, 71, 71]);
  t.deepEqual([...rescaled(rescaled(grey, 3), 1 / 3).bytes], [...grey.bytes]);
});

test('what is drawn on a canvas leaves the picture as it was, also one in a Buffer', (t) => {
  for (const bytes of [new Uint8Array(12), Buffer.alloc(12)]) {
    overlayMask(canvasOf({ bytes, height: 2, width: 2, channels: 3 }), [1, 1, 1, 1], [200, 100, 50]);
    t.deepEqual([...bytes], Array(12).fill(0));
  }
});

test('a PNG has the pixels of the picture', (t) => {
  const canvas = canvasOf({
    bytes: Uint8Array.from({ length: 12 }, (_, i) => 20 * i),
    height: 2,
    width: 2,
    channels: 3,
  });
  const { data, width } = PNG.sync.read(encodePng(canvas));
  t.is(width, 2);
  t.deepEqual(
    [...data].filter((_, i) => i % 4 !== 3),
    [...canvas.bytes],
  );
});
