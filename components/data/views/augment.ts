/**
 * An image `[size, size, channels]` moved by whole pixels and filled with zeros: the usual "pad, then crop at random" (He
 * et al. 2016, section 4.2). Returns a new array.
 */
export function shift(
  image: Uint8Array,
  size: number,
  [down, right]: readonly [down: number, right: number],
  channels = 3,
): Uint8Array {
  const shifted = new Uint8Array(image.length);
  const row = size * channels;
  const width = (size - Math.abs(right)) * channels;
  if (width <= 0) return shifted;
  for (let y = Math.max(0, down); y < Math.min(size, size + down); y++) {
    const from = (y - down) * row + Math.max(0, -right) * channels;
    shifted.set(image.subarray(from, from + width), y * row + Math.max(0, right) * channels);
  }
  return shifted;
}

/**
 * Turns each image counter-clockwise by its number of quarter turns, 0 to 3. Images are `[n, size, size, channels]`; returns
 * a new array.
 */
export function rotateQuarters(
  images: Uint8Array,
  turns: ArrayLike<number>,
  size: number,
  channels = 3,
): Uint8Array {
  const rotated = new Uint8Array(images.length);
  const last = size - 1;
  for (let image = 0; image < turns.length; image++) {
    const start = image * size * size;
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const [fromY, fromX] = [
          [y, x],
          [x, last - y],
          [last - y, last - x],
          [last - x, y],
        ][turns[image]];
        const to = (start + y * size + x) * channels;
        const from = (start + fromY * size + fromX) * channels;
        for (let channel = 0; channel < channels; channel++) rotated[to + channel] = images[from + channel];
      }
    }
  }
  return rotated;
}
