import { PNG } from 'pngjs';

export interface GridOptions {
  /** Height and width of every image in pixels. */
  readonly size: number;
  /** Images a row of the grid; all in one row unless said. */
  readonly columns?: number;
}

/**
 * Lays images `[n, size, size, 3]`, bytes or values in [0, 1] (others are clipped), out in rows, and encodes an RGB PNG.
 * Places of the last row that no image fills are black. The same pixels are the same bytes.
 */
export function encodeGrid(images: Uint8Array | Float32Array, { size, columns }: GridOptions): Buffer {
  const pixels = size * size * 3;
  const count = images.length / pixels;
  if (count < 1 || !Number.isInteger(count)) {
    throw new RangeError(`${images.length} values aren't whole images of ${size}x${size}x3`);
  }
  const byteOf = (value: number) =>
    images instanceof Uint8Array ? value : Math.round(255 * Math.min(1, Math.max(0, value)));
  const across = columns ?? count;
  const png = new PNG({ width: across * size, height: Math.ceil(count / across) * size, colorType: 2 });
  png.data.fill(0);
  for (let n = 0; n < count; n++) {
    const left = (n % across) * size;
    const top = Math.floor(n / across) * size;
    for (let pixel = 0; pixel < size * size; pixel++) {
      const to = ((top + Math.floor(pixel / size)) * png.width + left + (pixel % size)) * 4;
      for (let channel = 0; channel < 3; channel++) {
        png.data[to + channel] = byteOf(images[n * pixels + pixel * 3 + channel]);
      }
    }
  }
  for (let alpha = 3; alpha < png.data.length; alpha += 4) png.data[alpha] = 255;
  return PNG.sync.write(png, { colorType: 2, inputColorType: 6, inputHasAlpha: true });
}
