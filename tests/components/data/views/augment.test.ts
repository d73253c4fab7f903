import test from 'ava';
import { rotateQuarters, shift } from '../../../../components/data/views/augment.ts';

test('an image is moved and filled with zeros', (t) => {
  const image = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const moved = (down: number, right: number): number[] => [...shift(image, 3, [down, right], 1)];
  t.deepEqual(moved(0, 0), [...image]);
  t.deepEqual(moved(1, 0), [0, 0, 0, 1, 2, 3, 4, 5, 6]);
  t.deepEqual(moved(-1, 0), [4, 5, 6, 7, 8, 9, 0, 0, 0]);
  t.deepEqual(moved(0, 1), [0, 1, 2, 0, 4, 5, 0, 7, 8]);
  t.deepEqual(moved(1, -1), [0, 0, 0, 2, 3, 0, 5, 6, 0]);
  t.deepEqual(moved(0, 3), [0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test('quarter turns go counter-clockwise, and four of them are none', (t) => {
  // One channel; rows of the picture: 1 2 / 3 4.
  const image = Uint8Array.of(1, 2, 3, 4);
  const turned = (turns: number) => [...rotateQuarters(image, [turns], 2, 1)];
  t.deepEqual(turned(0), [1, 2, 3, 4]);
  t.deepEqual(turned(1), [2, 4, 1, 3]);
  t.deepEqual(turned(2), [4, 3, 2, 1]);
  t.deepEqual(turned(3), [3, 1, 4, 2]);
});

test('each image of a batch has its own turns; channels stay together', (t) => {
  const images = Uint8Array.from({ length: 2 * 3 * 3 * 3 }, (_, i) => i);
  const out = rotateQuarters(images, [0, 1], 3);
  t.deepEqual([...out.subarray(0, 27)], [...images.subarray(0, 27)]);
  let again = out;
  for (let n = 0; n < 3; n++) again = rotateQuarters(again, [0, 1], 3);
  t.deepEqual([...again], [...images]);
});
