import test from 'ava';
import fc from 'fast-check';
import { PNG } from 'pngjs';
import { stackRows } from '../../../reports/formats/picture.ts';
import { hostileName } from './support.ts';

function strip(red: number, height = 5): Buffer {
  const png = new PNG({ width: 2, height });
  for (let row = 0; row < height; row++) png.data.set([red, 0, 0, 255, 0, red, 0, 255], row * 8);
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
  t.deepEqual(at(left, 19), [200, 0, 0]);
  t.is(picture.height, 15 + 4 + 15);
});

test('the same strips are the same bytes', (t) => {
  const rows = [{ label: 'x', png: strip(1) }];
  t.deepEqual(stackRows(rows), stackRows(rows));
});

test('signs of names have letters of their own, and rows that look alike are numbered', (t) => {
  const bytes = (...labels: string[]) => stackRows(labels.map((label) => ({ label, png: strip(1) })));
  for (const [one, other] of [
    ['a@b=1,c', 'a?b?1?c'],
    ['Peco', 'peco'],
    ['日', '本'],
    ['é', 'e'],
    ['x\t', 'x '],
    ['65E5', '日'],
  ] as const) {
    t.notDeepEqual(bytes(one), bytes(other));
    t.deepEqual(bytes(one, one), bytes(`1 ${one}`, `2 ${one}`));
  }
  for (const [one, other] of [
    ['A', 'А'],
    ['é', 'e\u0301'],
    ['x', 'x '],
  ] as const)
    t.deepEqual(bytes(one, other), bytes(`1 ${one}`, `2 ${other}`));
});

test('any name stands beside its strip, whole as far as there is room', (t) => {
  const size = (height: number, ...labels: string[]) => {
    const { width, height: all } = PNG.sync.read(
      stackRows(labels.map((label) => ({ label, png: strip(1, height) }))),
    );
    return [width - 6 - 8, all];
  };
  // 22 large letters a line, then 44 small ones; the middle of what has no room is left out.
  t.deepEqual(size(32, 'peco'), [4 * 12, 96]);
  t.deepEqual(size(32, 'x'.repeat(66)), [264, 96]);
  t.deepEqual(size(32, 'x'.repeat(67)), [264, 96]);
  const bytes = (label: string) => stackRows([{ label, png: strip(1, 32) }]);
  const swept = (value: number) => `peco@${'a'.repeat(290)}=${value}`;
  t.notDeepEqual(bytes(swept(1)), bytes(swept(2)));
  const long = (middle: string) => bytes(`p${'a'.repeat(4000)}${middle}${'a'.repeat(4000)}q`);
  t.true(long('a').equals(long('b')));
  fc.assert(
    fc.property(fc.array(hostileName, { minLength: 1, maxLength: 3 }), (names) => {
      const [width, height] = size(16, ...names);
      return width! <= 264 && height === names.length * 52 - 4;
    }),
    { numRuns: 40 },
  );
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
  t.is(picture.height, 15 + 4 + 48);
  const left = picture.width - 24;
  t.is(picture.data[left * 4], 10);
  t.is(picture.data[((picture.height - 1) * picture.width + picture.width - 1) * 4], 77);
});
