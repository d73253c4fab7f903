import type { Window } from '../../data/types.ts';

/** Value of a byte as a pixel, rounded to float32 as programs round it. */
const PIXEL = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/**
 * 10 log10(1 / MSE) of each image, in dB, for pixels in [0, 1], where the picture is: padding that every reconstruction
 * gets right would flatter it.
 *
 * @param pictures and `made` of them: `[n, size, size, 3]`
 * @param size height and width of the images
 */
export function psnrOf(
  pictures: Uint8Array,
  made: Float32Array,
  size: number,
  window: Window = { top: 0, left: 0, height: size, width: size },
): number[] {
  const perImage = size * size * 3;
  const values = window.height * window.width * 3;
  return Array.from({ length: pictures.length / perImage }, (_, image) => {
    const error = squaredError(pictures, made, { size, window, start: image * perImage });
    return 10 * Math.log10(values / Math.max(error, 1e-12));
  });
}

/** Sum of squared differences of one image, which begins at `start`. */
function squaredError(
  pictures: Uint8Array,
  made: Float32Array,
  { size, window, start }: { size: number; window: Window; start: number },
): number {
  let error = 0;
  for (let y = window.top; y < window.top + window.height; y++) {
    const first = start + (y * size + window.left) * 3;
    for (let i = first; i < first + window.width * 3; i++) error += (PIXEL[pictures[i]] - made[i]) ** 2;
  }
  return error;
}
