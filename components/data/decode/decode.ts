import { StageError } from '../../../framework/stage/stage-error.ts';
import type { ImageBytes, Pixels } from '../types.ts';

let opened: Promise<typeof import('sharp')['default']> | undefined;

/** Loaded when the first image is to be decoded: data that is raw never needs it. */
function openSharp(): Promise<typeof import('sharp')['default']> {
  opened ??= import('sharp').then(({ default: sharp }) => {
    // Images are decoded once each, many at once: no cache of results, and one thread an image.
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  });
  return opened;
}

/**
 * The pixels of an image as Pillow's `convert('RGB')` has them: colour profiles and orientation are left aside, grey
 * becomes three equal channels, opacity is dropped.
 *
 * @throws Error if the bytes are no such image, or not a whole one
 */
export async function decode(image: ImageBytes): Promise<Pixels> {
  if (image.format === 'raw') return image;
  const sharp = await openSharp();
  try {
    const { data, info } = await sharp(image.bytes, { failOn: 'error', ignoreIcc: true })
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { bytes: data, width: info.width, height: info.height, channels: 3 };
  } catch (cause) {
    const lines = new Set((cause as Error).message.split('\n'));
    throw new StageError(`can't be decoded: ${[...lines].join('; ')}`, { cause });
  }
}
