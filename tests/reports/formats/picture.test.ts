import test from 'ava';
import { PNG } from 'pngjs';
import { stackRows } from '../../../reports/formats/picture.ts';

function strip(red: number): Buffer {
  const png = new PNG({ width: 2, height: 4 });
  for (let row = 0; row < 4; row++) png.data.set([red, 0, 0, 255, 0, red, 0, 255], row * 8);
  return PNG.sync.write(png);
}

test('rows are stacked in order, enlarged three times, beside their labels', (t) => {
  const picture = PNG.sync.read(
    stackRows([
      { label: 'ab', png: strip(10) },
      { label: 'c', png: strip(200) },
    ]),
  );
  const left = picture.width - 6;
  const at = (x: number, y: number) => [
    ...picture.data.subarray((y * picture.width + x) * 4, (y * picture.width + x) * 4 + 3),
  ];
  t.deepEqual(at(left, 0), [10, 0, 0]);
  t.deepEqual(at(left + 2, 2), [10, 0, 0]);
  t.deepEqual(at(left + 3, 0), [0, 10, 0]);
  t.deepEqual(at(left, 16), [200, 0, 0]);
  t.is(picture.height, 12 + 4 + 12);
});

test('the same strips are the same bytes', (t) => {
  const rows = [{ label: 'x', png: strip(1) }];
  t.deepEqual(stackRows(rows), stackRows(rows));
});

test('labels stay beside their strips, whatever their letters become', (t) => {
  // The capital of one small letter may be two.
  const width = (label: string) => PNG.sync.read(stackRows([{ label, png: strip(1) }])).width;
  t.is(width('ß'), width('a'));
  const dark = (label: string) => {
    const picture = PNG.sync.read(stackRows([{ label, png: strip(255) }]));
    const left = picture.width - 6;
    return Array.from({ length: picture.height }, (_, y) => picture.data[(y * picture.width + left) * 4]);
  };
  t.deepEqual(dark('ﬃﬃﬃ'), dark('abc'));
});

test('signs of names have letters of their own, and rows that look alike are numbered', (t) => {
  const bytes = (labels: readonly string[]) => stackRows(labels.map((label) => ({ label, png: strip(1) })));
  t.notDeepEqual(bytes(['a@b=1,c']), bytes(['a?b?1?c']));
  t.deepEqual(bytes(['日', '本']), bytes(['1 ?', '2 ?']));
  t.deepEqual(bytes(['Peco', 'peco']), bytes(['1 peco', '2 peco']));
});

test('a long label is cut, so that the picture stays as wide as a picture', (t) => {
  const { width } = PNG.sync.read(stackRows([{ label: 'x'.repeat(10_000), png: strip(1) }]));
  t.true(width < 600, String(width));
});

test('strips of different sizes have rows of their own size', (t) => {
  const large = new PNG({ width: 8, height: 16 });
  large.data.fill(77);
  const picture = PNG.sync.read(
    stackRows([
      { label: 'a', png: strip(10) },
      { label: 'b', png: PNG.sync.write(large) },
    ]),
  );
  t.is(picture.height, 12 + 4 + 48);
  const left = picture.width - 24;
  t.is(picture.data[left * 4], 10);
  t.is(picture.data[((picture.height - 1) * picture.width + picture.width - 1) * 4], 77);
});
