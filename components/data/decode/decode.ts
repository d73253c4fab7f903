import { isMainThread } from 'node:worker_threads';
import { StageError } from '../../../framework/stage/stage-error.ts';
import type { EncodedImage, ImageBytes, ImageFile, Pixels } from '../types.ts';
import { nameFormat } from './formats.ts';

/** An image of more is refused unless its data set says otherwise: decoded it would take 300 MB. */
const usualMaxPixels = 100_000_000;

/** That an image can't be decoded. Whether, and the message, depend on nothing but its bytes; the hint may. */
export class BadImage extends StageError {}

let opened: Promise<typeof import('sharp')['default']> | undefined;

/**
 * Loaded when the first image is to be decoded: data that is raw never needs it. What is blocked is blocked for the whole
 * process, and for a moment that is all formats: so the main thread does it once, before it starts any other
 * (renderer.ts).
 */
export function openSharp(): Promise<typeof import('sharp')['default']> {
  opened ??= import('sharp').then(({ default: sharp }) => {
    // Images are decoded once each, many at once: no cache of results, and one thread an image.
    sharp.cache(false);
    sharp.concurrency(1);
    if (!isMainThread) return sharp;
    // Nothing but the three formats, whatever the name of a file says: SVG, TIFF and others have decoders of their own.
    sharp.block({ operation: ['VipsForeignLoad'] });
    sharp.unblock({
      operation: ['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp'],
    });
    return sharp;
  });
  return opened;
}

/**
 * The pixels of an image as Pillow's `convert('RGB')` has them: colour profiles and orientation are left aside, grey
 * becomes three equal channels, opacity is dropped, CMYK is computed without a profile. Of 16 bits a channel the upper 8
 * count; Pillow does so with colours, but clips greys of 16 bits at 255, which leaves next to nothing of them.
 *
 * Of an animation it is the first picture.
 *
 * @throws BadImage if the bytes are no JPEG, PNG or WebP, not a whole one, or one of too many pixels; StageError if those of
 * a raw image aren't as many as it says
 */
export async function decode(image: Exclude<ImageBytes, ImageFile>): Promise<Pixels> {
  if (image.format === 'raw') return checked(image);
  const sharp = await openSharp();
  const { bytes, maxPixels = usualMaxPixels } = image;
  try {
    const opened = sharp(bytes, { failOn: 'error', ignoreIcc: true, limitInputPixels: maxPixels });
    const inks = isCmyk(bytes);
    const converted = inks
      ? opened.pipelineColourspace('cmyk').toColourspace('cmyk')
      : opened.toColourspace('srgb').removeAlpha();
    const { data, info } = await converted.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    return { bytes: inks ? colours(data) : data, width, height, channels: 3 };
  } catch (cause) {
    throw await explain(image, maxPixels, cause as Error);
  }
}

/** The header says how large an image is, before anything of it is decoded. */
async function explain({ bytes }: EncodedImage, maxPixels: number, cause: Error): Promise<BadImage> {
  if (/pixel limit/.test(cause.message)) {
    const sharp = await openSharp();
    const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
    const message = `has ${width} x ${height} pixels, more than ${maxPixels.toLocaleString('en-US')}`;
    return new BadImage(message, { cause, hint: 'raise `maxPixels` of the data set, or replace the image' });
  }
  const what = nameFormat(bytes);
  const remedy = "replace or remove it; `onBadImage: 'skip'` of an imageFolder leaves such images out";
  if (what !== undefined) return new BadImage(`can't be decoded: ${what}`, { cause, hint: remedy });
  // Not in the message, which is the same every time: the library's own words mix with those about other images.
  const words = [...new Set(cause.message.split('\n'))].join('; ');
  const hint = `the decoder says "${words}"; ${remedy}`;
  return new BadImage("can't be decoded: it is damaged, or its end is missing", { cause, hint });
}

/** A raw image is what a reader says it is: with fewer bytes its last pixels would be no numbers. */
function checked(image: Pixels): Pixels {
  const { bytes, height, width, channels } = image;
  const sides = [height, width].every((side) => Number.isInteger(side) && side > 0);
  if (sides && (channels === 1 || channels === 3) && bytes.length === height * width * channels) return image;
  throw new StageError(`has ${bytes.length} bytes, but says that it is [${height}, ${width}, ${channels}]`, {
    hint: 'a raw image has a byte a channel, 1 or 3 channels, row by row',
  });
}

/** Whether a file is a JPEG of four channels: ImageNet has some. Asking sharp takes a fifth as long as decoding. */
function isCmyk(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return false;
  for (let at = 2; bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]!;
    // The start of a frame; C4, C8 and CC are none.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return bytes[at + 9] === 4;
    at += marker === 0xff ? 1 : 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
  }
  return false;
}

/** Cyan, magenta, yellow and black as Pillow's `cmyk2rgb` (src/libImaging/Convert.c) makes red, green and blue of them. */
function colours(inks: Uint8Array): Uint8Array {
  const out = new Uint8Array((inks.length / 4) * 3);
  for (let from = 0, to = 0; from < inks.length; from += 4) {
    const light = 255 - inks[from + 3]!;
    for (let ink = 0; ink < 3; ink++) {
      const product = inks[from + ink]! * light + 128;
      out[to++] = light - (((product >> 8) + product) >> 8);
    }
  }
  return out;
}
