import test from 'ava';
import {
  flipRandomly,
  mirror,
  rotateQuarters,
  shift,
  shiftRandomly,
} from '../../../../components/data/views/augment.ts';
import { type Random, random } from '../../../../components/nn/random.ts';

/** Draws that are given instead of random. */
function scripted(draws: { uniform?: number[]; int?: number[] }): Random {
  const uniform = [...(draws.uniform ?? [])];
  const int = [...(draws.int ?? [])];
  return { ...random(0), uniform: () => uniform.shift()!, int: () => int.shift()! };
}

test('an image is mirrored left to right, channels kept', (t) => {
  const images = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, /* second */ 1, 2, 3, 4, 5, 6, 7, 8);
  flipRandomly(images, 2, scripted({ uniform: [0.1, 0.9] }), 2);
  t.deepEqual([...images], [3, 4, 1, 2, 7, 8, 5, 6, /* second */ 1, 2, 3, 4, 5, 6, 7, 8]);
});

test('an image is moved and filled with zeros', (t) => {
  const image = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const moved = (down: number, right: number): number[] => [
    ...shiftRandomly(image, 3, 1, scripted({ int: [down + 1, right + 1] }), 1),
  ];
  t.deepEqual(moved(0, 0), [...image]);
  t.deepEqual(moved(1, 0), [0, 0, 0, 1, 2, 3, 4, 5, 6]);
  t.deepEqual(moved(-1, 0), [4, 5, 6, 7, 8, 9, 0, 0, 0]);
  t.deepEqual(moved(0, 1), [0, 1, 2, 0, 4, 5, 0, 7, 8]);
  t.deepEqual(moved(1, -1), [0, 0, 0, 2, 3, 0, 5, 6, 0]);
});

test('bytes of an image are mirrored and moved', (t) => {
  const image = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const moved = (down: number, right: number): number[] => [...shift(image, 3, [down, right], 1)];
  t.deepEqual(moved(0, 0), [...image]);
  t.deepEqual(moved(1, 0), [0, 0, 0, 1, 2, 3, 4, 5, 6]);
  t.deepEqual(moved(-1, 0), [4, 5, 6, 7, 8, 9, 0, 0, 0]);
  t.deepEqual(moved(0, 1), [0, 1, 2, 0, 4, 5, 0, 7, 8]);
  t.deepEqual(moved(1, -1), [0, 0, 0, 2, 3, 0, 5, 6, 0]);
  t.deepEqual(moved(0, 3), [0, 0, 0, 0, 0, 0, 0, 0, 0]);
  mirror(image, 3, 1);
  t.deepEqual([...image], [3, 2, 1, 6, 5, 4, 9, 8, 7]);
  const colours = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  mirror(colours, 2, 2);
  t.deepEqual([...colours], [3, 4, 1, 2, 7, 8, 5, 6]);
});

test('about half of the images are mirrored', (t) => {
  const images = Float32Array.from({ length: 2000 }, (_, i) => i % 2); // 500 images of 2x2, rows 0 1
  flipRandomly(images, 2, random(1, 'flip'), 1);
  const mirrored = Array.from({ length: 500 }, (_, n) => images[n * 4]).filter((value) => value === 1).length;
  t.true(mirrored > 200 && mirrored < 300, String(mirrored));
});

test('quarter turns go counter-clockwise, and four of them are none', (t) => {
  // One channel; rows of the picture: 1 2 / 3 4.
  const image = Float32Array.of(1, 2, 3, 4);
  const turned = (turns: number) => [...rotateQuarters(image, [turns], 2, 1)];
  t.deepEqual(turned(0), [1, 2, 3, 4]);
  t.deepEqual(turned(1), [2, 4, 1, 3]);
  t.deepEqual(turned(2), [4, 3, 2, 1]);
  t.deepEqual(turned(3), [3, 1, 4, 2]);
});

test('each image of a batch has its own turns; channels stay together', (t) => {
  const images = Float32Array.from({ length: 2 * 3 * 3 * 3 }, (_, i) => i);
  const out = rotateQuarters(images, [0, 1], 3);
  t.deepEqual([...out.subarray(0, 27)], [...images.subarray(0, 27)]);
  let again: Float32Array = out;
  for (let n = 0; n < 3; n++) again = rotateQuarters(again, [0, 1], 3);
  t.deepEqual([...again], [...images]);
});
