import test from 'ava';
import {
  fillPicture,
  isUntouched,
  type Rendered,
  renderPictures,
} from '../../../../components/data/views/render.ts';
import { viewSchema } from '../../../../components/data/views/view.ts';

/** What is written after one number, as bytes. */
function filled(picture: Rendered, size: number): number[] {
  const values = new Uint8Array(1 + size * size * 3);
  fillPicture(values, 1, picture, size);
  return [...values.subarray(1)];
}

test('a picture is mirrored left to right, its channels stay, and grey becomes three equal ones', (t) => {
  const bytes = Uint8Array.from({ length: 12 }, (_, i) => i);
  t.deepEqual(filled({ bytes, channels: 3, mirrored: false }, 2), [...bytes]);
  t.deepEqual(filled({ bytes, channels: 3, mirrored: true }, 2), [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8]);
  const grey = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const three = (values: readonly number[]) => values.flatMap((value) => [value, value, value]);
  t.deepEqual(filled({ bytes: grey, channels: 1, mirrored: false }, 3), three([...grey]));
  t.deepEqual(filled({ bytes: grey, channels: 1, mirrored: true }, 3), three([3, 2, 1, 6, 5, 4, 9, 8, 7]));
});

test('an image of the size asked for passes as it is; the source is never changed', (t) => {
  const source = { bytes: Uint8Array.of(9, 8, 7, 6), height: 2, width: 2, channels: 1 } as const;
  const { crop } = viewSchema.parse({});
  const sight = { crop, flip: 1, pictures: [{ size: 2, interpolation: 'bicubic' }] } as const;
  t.true(isUntouched(source, sight));
  t.false(isUntouched(source, { ...sight, pictures: [{ size: 3, interpolation: 'bicubic' }] }));
  t.false(
    isUntouched({ height: 2, width: 3 }, { ...sight, pictures: [{ size: 3, interpolation: 'bicubic' }] }),
  );
  // The middle of a wider image, whose height is right.
  t.true(isUntouched({ height: 2, width: 4 }, sight));
  const [plain] = renderPictures(source, sight);
  t.deepEqual([[...plain.bytes], plain.mirrored], [[9, 8, 7, 6], false]);
  const [flipped] = renderPictures(source, sight, [0, 'a', 0, 0]);
  t.deepEqual(filled(flipped, 2), [8, 8, 8, 9, 9, 9, 6, 6, 6, 7, 7, 7]);
  t.deepEqual([...source.bytes], [9, 8, 7, 6]);
});

test('a picture is changed as it is seen: mirrored, of three channels; pictures of one image alike', (t) => {
  const source = {
    bytes: Uint8Array.from({ length: 64 }, (_, i) => 3 * i),
    height: 8,
    width: 8,
    channels: 1,
  } as const;
  const { crop, randAugment } = viewSchema.parse({ randAugment: { probability: 0 } });
  const sight = { crop, flip: 1, pictures: [{ size: 8, interpolation: 'bicubic' }] } as const;
  const chance = [0, 'a', 0, 0] as const;
  const [plain] = renderPictures(source, sight, chance);
  const [kept] = renderPictures(source, { ...sight, randAugment: randAugment! }, chance);
  t.deepEqual([kept!.channels, kept!.mirrored], [3, false]);
  t.deepEqual(filled(kept!, 8), filled(plain!, 8));
  t.false(isUntouched(source, { ...sight, randAugment: randAugment! }));

  const all = { ...randAugment!, probability: 1, layers: 4 };
  const erasing = viewSchema.parse({ erasing: 1 }).erasing!;
  const two = { ...sight, pictures: [sight.pictures[0], sight.pictures[0]], randAugment: all, erasing };
  const [one, other] = renderPictures(source, two, chance);
  t.notDeepEqual(one!.bytes, kept!.bytes);
  t.deepEqual(one, other);
  t.deepEqual(
    [...source.bytes],
    Array.from({ length: 64 }, (_, i) => 3 * i),
  );
});
