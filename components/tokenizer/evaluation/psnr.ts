import type { Dataset, Window } from '../../data/types.ts';

/**
 * Mean over images of 10 log10(1 / MSE), in dB, for pixels in [0, 1], where the picture is: padding that every
 * reconstruction gets right would flatter it.
 *
 * @param a and `b`: `[n, size, size, 3]`
 */
export function meanPsnr(
  a: Float32Array,
  b: Float32Array,
  { size, window = { top: 0, left: 0, height: size, width: size } }: Pick<Dataset, 'size' | 'window'>,
): number {
  const perImage = size * size * 3;
  const count = a.length / perImage;
  const values = window.height * window.width * 3;
  let sum = 0;
  for (let image = 0; image < count; image++) {
    const error = squaredError(a, b, { size, window, start: image * perImage });
    sum += 10 * Math.log10(values / Math.max(error, 1e-12));
  }
  return sum / count;
}

/** Sum of squared differences of one image, which begins at `start`. */
function squaredError(
  a: Float32Array,
  b: Float32Array,
  { size, window, start }: { size: number; window: Window; start: number },
): number {
  let error = 0;
  for (let y = window.top; y < window.top + window.height; y++) {
    const first = start + (y * size + window.left) * 3;
    for (let i = first; i < first + window.width * 3; i++) error += (a[i] - b[i]) ** 2;
  }
  return error;
}
