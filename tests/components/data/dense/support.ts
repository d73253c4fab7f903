import type { ImageInstances, LabelMap } from '../../../../components/data/targets.ts';
import { noClass } from '../../../../components/data/targets.ts';
import type { Dataset, Pixels } from '../../../../components/data/types.ts';

/** A picture whose classes lie in blocks, and its colours: each class has its own. */
export interface Blocks {
  readonly labels: Uint8Array;
  readonly image: Pixels;
}

export const colourOf = (label: number): [red: number, green: number, blue: number] =>
  label === noClass ? [9, 9, 9] : [20 + 30 * label, 200 - 25 * label, (label % 3) * 100];

/** @param at the class of each block: row and column of blocks of `block` pixels */
export function blocks(
  { height, width, block }: { height: number; width: number; block: number },
  at: (row: number, column: number) => number,
): Blocks {
  const labels = Uint8Array.from({ length: height * width }, (_, pixel) =>
    at(Math.floor(pixel / width / block), Math.floor((pixel % width) / block)),
  );
  const bytes = Uint8Array.from([...labels].flatMap(colourOf));
  return { labels, image: { bytes, height, width, channels: 3 } };
}

const classes = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Raw images with raw label maps as a data set. */
export function labelled(all: readonly Blocks[]): Dataset<LabelMap> {
  return {
    ...{ name: 'blocks', count: all.length, classes },
    async target(index) {
      const { labels, image } = all[index]!;
      const { height, width } = image;
      return { numbering: 'from-0', format: 'raw', numbers: labels, height, width };
    },
    image: async (index) => ({ format: 'raw', ...all[index]!.image }),
  };
}

/** Raw images with objects as a data set. */
export function annotated(
  all: readonly { readonly image: Pixels; readonly instances: ImageInstances['instances'] }[],
): Dataset<ImageInstances> {
  return {
    ...{ name: 'objects', count: all.length, classes },
    async target(index) {
      const { image, instances } = all[index]!;
      return { imageId: 100 + index, height: image.height, width: image.width, instances };
    },
    image: async (index) => ({ format: 'raw', ...all[index]!.image }),
  };
}
