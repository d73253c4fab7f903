import { type Canvas, encodePng, gridOf, rescaled, viewingFactor } from '../data/picture/canvas.ts';
import type { HostTensor } from '../engine/types.ts';

/** What a masked patch is shown as. */
const grey = 128;
/** Side of an image in the picture, in pixels. */
const shownSide = { least: 96, most: 128 };

/**
 * A picture of two rows: images, and below each the same with its masked patches grey.
 *
 * @param images uint8 [n, size, size, 3]
 * @param mask [n * side * side], 1 where masked, row by row
 * @param side patches along a side of an image
 */
export function maskedImages(images: HostTensor, mask: ArrayLike<number>, side: number): Buffer {
  const [count, size] = images.shape as [number, number];
  const factor = viewingFactor(size, shownSide);
  const pictures = Array.from({ length: count }, (_, image): Canvas => {
    const bytes = (images.data as Uint8Array).subarray(image * size ** 2 * 3, (image + 1) * size ** 2 * 3);
    return { bytes, height: size, width: size, channels: 3 };
  });
  const masked = pictures.map((picture, image) => {
    const bytes = picture.bytes.map((value, at) => {
      const [y, x] = [Math.floor(at / (3 * size)), Math.floor(at / 3) % size];
      const patch = Math.floor((y * side) / size) * side + Math.floor((x * side) / size);
      return mask[image * side ** 2 + patch] ? grey : value;
    });
    return { ...picture, bytes };
  });
  return encodePng(gridOf([pictures, masked].map((row) => row.map((each) => rescaled(each, factor)))));
}
