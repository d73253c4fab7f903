import test from 'ava';
import { random } from '../../../../components/nn/random.ts';
import { supervisionOf } from '../../../../components/perceptual/vgg/supervision.ts';

const dataset = { classes: ['a', 'b', 'c'] };
/** Three images of 2 x 2 with the numbers 1 2 / 3 4 in every channel. */
const pixels = Uint8Array.from({ length: 36 }, (_, i) => 1 + (Math.floor(i / 3) % 4));

test('labels: the images stay, the answers are the classes', (t) => {
  const { classes, pose } = supervisionOf('supervised', dataset);
  t.is(classes, 3);
  const { images, answers } = pose(pixels, [1, 0, 2], (place) => random(0, 'x', place));
  t.deepEqual(images, pixels);
  t.deepEqual([...answers], [1, 0, 2]);
});

test('rotations: each answer says how the image was turned, and no label is read', (t) => {
  const labels = [0, 1, 2].map((label) => ({
    [Symbol.toPrimitive]: () => {
      throw new Error(`the label ${label} was read`);
    },
  })) as unknown as number[];
  const { classes, pose } = supervisionOf('rotations', dataset);
  t.is(classes, 4);
  const upperLeft = [1, 2, 4, 3];
  const seen = new Set<number>();
  for (let step = 0; step < 20; step++) {
    const { images, answers } = pose(pixels, labels, (place) => random(0, 'x', step, place));
    for (const [n, answer] of answers.entries()) t.is(images[n * 12], upperLeft[answer]);
    for (const answer of answers) seen.add(answer);
  }
  t.deepEqual([...seen].sort(), [0, 1, 2, 3]);
});
