import { z } from 'zod';
import { constant } from '../../../framework/stage/constant.ts';
import { range } from '../views/fields.ts';
import { fill, flip, interpolation, pixels } from './fields.ts';

const canvas = {
  /** Height and width in pixels of the square that all pictures lie in, in the top left corner. Absent: those of the images. */
  size: pixels.optional(),
  fill,
  interpolation,
};

/** The longer edge has at most so many pixels. Absent: as many as `size`. */
const longer = pixels.optional();

/**
 * How a training of detection looks at an image and its objects. Resized so that it fits, as detectron2's ResizeShortestEdge;
 * or, with `jitter`, by a random factor, and a square cut out of what is larger: large-scale jitter (Ghiasi et al. 2021), as
 * detectron2's ResizeScale and FixedSizeCrop.
 */
export const detectionViewSchema = z
  .strictObject({
    ...canvas,
    /**
     * The shorter edge has so many pixels, one of a list by chance, unless the longer edge had more than `longer` then. 800 in
     * most papers, with `longer: 1333` and `size: 1344`. Absent: as many as `size`.
     */
    shorter: z.union([pixels, constant(z.array(pixels).min(1))]).optional(),
    longer,
    /**
     * Instead of those: images are made as large as fits into `size` times a number from this range. Papers: [0.1, 2] at 1,024.
     */
    jitter: range(z.number().positive()).optional(),
    flip,
    /** Objects of an image that are learnt from. Where there are more, the largest are. */
    maxInstances: z.int().positive().default(100),
    /** Pixels a side of the picture for one of a mask. 1: masks are as exact as pictures, but of 1,024 pixels a megabyte each. */
    maskStride: z.union([z.literal(1), z.literal(2), z.literal(4)]).default(1),
  })
  .refine(({ jitter, shorter, longer }) => jitter === undefined || (shorter ?? longer) === undefined, {
    path: ['jitter'],
    error: 'is given beside `shorter` or `longer`, which say how large images become: leave one of them out',
  });

/** How a test of detection looks at an image: as the training, with nothing left to chance. */
export const stillDetectionViewSchema = z.strictObject({
  ...canvas,
  /** Absent: as many as `size`. */
  shorter: pixels.optional(),
  longer,
});

export type DetectionView = z.output<typeof detectionViewSchema>;
export type StillDetectionView = z.output<typeof stillDetectionViewSchema>;
