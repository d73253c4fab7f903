import { availableParallelism } from 'node:os';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { inLanes } from '../ahead.ts';
import type { Dataset } from '../types.ts';
import { BadImage } from './decode.ts';
import { openRenderer } from './renderer.ts';

/** The place of an image that can't be decoded, and why. */
export interface Bad {
  readonly index: number;
  readonly reason: string;
}

/** So few images are decoded here: to start threads takes as long. */
const few = 500;

/** As little as possible of an image, once it is decoded. */
const glance = {
  crop: { kind: 'centre', share: 1 },
  flip: 0,
  pictures: [{ size: 8, interpolation: 'bilinear' }],
} as const;

/**
 * Decodes all images of a data set, with all cores: those that can't be, in their order. It depends on their bytes only.
 *
 * @throws StageError that names the file, if one can't be read: that may be otherwise next time
 */
export async function findBad(
  { count, image }: Pick<Dataset, 'count' | 'image'>,
  workers = count > few ? availableParallelism() : 0,
): Promise<Bad[]> {
  const bad: Bad[] = [];
  const renderer = openRenderer(workers);
  try {
    await inLanes(count, 8 * Math.max(1, workers), async (index) => {
      const encoded = await image(index);
      try {
        await renderer.render({ image: encoded, sight: glance });
      } catch (error) {
        const { message } = error as Error;
        if (error instanceof BadImage) bad.push({ index, reason: message });
        else
          throw 'file' in encoded ? new StageError(`${encoded.file}: ${message}`, { cause: error }) : error;
      }
    });
  } finally {
    await renderer.close();
  }
  return bad.sort((a, b) => a.index - b.index);
}
