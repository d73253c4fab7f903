import { z } from 'zod';
import { StageError } from '../../../framework/stage/stage-error.ts';
import type { Dataset } from '../types.ts';
import { erasingSchema } from './erasing-config.ts';
import { range } from './fields.ts';
import { jitterSchema } from './jitter-config.ts';
import { randAugmentSchema } from './randaugment/config.ts';

const share = z.number().gt(0).max(1);

/** The largest square in the middle; of it the share that is kept of each side, as timm's `crop_pct`. */
const centre = z.strictObject({
  /** Which sort of crop. */
  kind: z.literal('centre'),
  /** What is kept of each side of the largest square. */
  share: share.default(1),
});

export const cropSchema = z.discriminatedUnion('kind', [
  centre,
  /** A part of random area and aspect ratio: `scale` and `ratio` are those of torchvision's RandomResizedCrop. */
  z.strictObject({
    kind: z.literal('random-resized'),
    scale: range(share).default([0.08, 1]),
    ratio: range(z.number().positive()).default([3 / 4, 4 / 3]),
  }),
  /** The centre, moved by up to `distance` pixels along both axes and filled with zeros: "pad, then crop at random". */
  z.strictObject({
    kind: z.literal('shift'),
    /** In pixels, at most. */
    distance: z.int().nonnegative(),
  }),
]);

const wholeCentre = { kind: 'centre', share: 1 } as const;

const picture = {
  /** Height and width in pixels. Absent: those of the images, if all have the same. */
  size: z.int().positive().optional(),
  /** How pixels between pixels are found where an image isn't of that size: as Pillow's filters of these names. */
  interpolation: z.enum(['bilinear', 'bicubic', 'lanczos']).default('bicubic'),
};

/** How a training looks at an image. */
export const viewSchema = z.strictObject({
  /** What part of an image is seen. */
  crop: cropSchema.default(wholeCentre),
  /** Probability that an image is mirrored left to right. */
  flip: z.number().min(0).max(1).default(0.5),
  /** Colours, of the whole image before it is cropped: a number as BEiT's 0.4, or one for each; absent: as they are. */
  jitter: jitterSchema.optional(),
  /** Changes of the picture: fields, or timm's words as BEiT's 'rand-m9-mstd0.5-inc1'; absent: none. */
  randAugment: randAugmentSchema.optional(),
  /** A rectangle of noise, last of all: its probability as BEiT's 0.25, or fields; absent: none. */
  erasing: erasingSchema.optional(),
  ...picture,
});

/** How an evaluation looks at an image: nothing is left to chance. */
export const stillViewSchema = z.strictObject({ crop: centre.default(wholeCentre), ...picture });

/**
 * Declarative, and a part of the config of whatever uses it: so it is in the key. All that is left to chance is drawn once
 * an image and epoch, by the stage's seed: several pictures of an image, such as that of a network and that of its
 * tokenizer, show the same part of it in the same colours.
 */
export type View = z.output<typeof viewSchema>;
/** The same without chance: how an evaluation looks at an image. */
export type StillView = z.output<typeof stillViewSchema>;
export type Crop = View['crop'];
export type Interpolation = View['interpolation'];

/** One picture that is made of an image; what is absent is that of the view. */
export interface Picture {
  /** Height and width in pixels. */
  readonly size?: number;
  readonly interpolation?: Interpolation;
}

/** Each image as it is, or the middle of it where it isn't square. */
export const plainView: StillView = { crop: wholeCentre, interpolation: 'bicubic' };

/** What an evaluation sees of the images that were trained with a view: the middle, nothing mirrored. */
export function stillOf({ size, interpolation }: Pick<View, 'size' | 'interpolation'>): StillView {
  return { crop: wholeCentre, interpolation, ...(size === undefined ? {} : { size }) };
}

/**
 * Height and width of the pictures of a view.
 *
 * @throws StageError if neither the view nor the data say
 */
export function sizeOf(
  { size }: Pick<View, 'size'>,
  { name, imageSize }: Pick<Dataset, 'name' | 'imageSize'>,
): number {
  const found = size ?? imageSize;
  if (found === undefined)
    throw new StageError(`the images of ${name} have no size in common`, {
      hint: 'give the view a size: `view: { size: 224 }`',
    });
  return found;
}

/** Whether a view shows every pixel as it is. */
export function showsAll({ crop, size }: StillView, { imageSize }: Pick<Dataset, 'imageSize'>): boolean {
  return imageSize !== undefined && crop.share === 1 && (size ?? imageSize) === imageSize;
}
