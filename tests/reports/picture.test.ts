import test from 'ava';
import { PNG } from 'pngjs';
import { stackRows } from '../../reports/picture.ts';

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
