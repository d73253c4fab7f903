import type { Dataset } from '../../components/data/types.ts';

/** Raw images `[count, size, size, channels]` of these bytes as a data set. */
export function imagesOf(
  bytes: Uint8Array,
  {
    size,
    channels = 3,
    classes = ['even', 'odd'],
    label = (index: number) => index % classes.length,
  }: {
    size: number;
    channels?: 1 | 3;
    classes?: readonly string[];
    label?: (index: number) => number;
  },
): Dataset {
  const length = size * size * channels;
  const count = bytes.length / length;
  const checked = (index: number): number => {
    if (index >= 0 && index < count) return index;
    throw new RangeError(`image ${index} of ${count}`);
  };
  return {
    ...{ name: 'images of a test', count, classes, imageSize: size },
    target: async (index) => label(checked(index)),
    image: async (index) => ({
      format: 'raw',
      height: size,
      width: size,
      channels,
      bytes: bytes.subarray(checked(index) * length, (index + 1) * length),
    }),
  };
}
