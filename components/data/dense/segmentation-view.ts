import { z } from 'zod';
import { constant } from '../../../framework/stage/constant.ts';
import { range } from '../views/fields.ts';
import { distortionSchema } from './distortion-config.ts';
import { fill, flip, interpolation, pixels } from './fields.ts';
import type { Edges } from './geometry.ts';

const edges = {
  /**
   * Images are resized, with their aspect ratio, so that the shorter edge has so many pixels. Absent: as many as `size`.
   */
  shorter: pixels.optional(),
  /** Unless the longer edge would have more than so many: then it has these. Absent: 4 times `shorter`, as 2,048 of 512. */
  longer: pixels.optional(),
};

/**
 * How a training of segmentation looks at an image and its label map: the pipeline of mmsegmentation for ADE20K, which BEiT
 * uses. Resized by a random factor, a square cut out, mirrored or not, colours distorted, padded below and on the right.
 *
 * Pictures are resized as Pillow resizes, where mmsegmentation takes OpenCV's bilinear interpolation, which aliases where an
 * image shrinks. Label maps are resized as OpenCV's INTER_NEAREST resizes them.
 */
export const segmentationViewSchema = z.strictObject({
  /** Height and width in pixels of what is cut out. Absent: those of the images, if all have the same. */
  size: pixels.optional(),
  ...edges,
  /** Both edges are multiplied by a number from this range. */
  scale: range(z.number().positive()).default([0.5, 2]),
  /**
   * What is cut out is drawn again, up to ten times, if one class has this share of the pixels that have a class, or more. 1:
   * never.
   */
  maxClassShare: z.number().gt(0).max(1).default(0.75),
  flip,
  /** Changes of colours; `'none'`: they stay. */
  distortion: z.union([z.literal('none'), distortionSchema]).prefault({}),
  fill,
  interpolation,
});

/** How a test of segmentation looks at an image: the whole of it, at one size or several. */
export const stillSegmentationViewSchema = z.strictObject({
  ...edges,
  /** Both edges are multiplied by each of these. mmsegmentation's multi-scale test: 0.5, 0.75, 1, 1.25, 1.5, 1.75. */
  scales: constant(z.array(z.number().positive()).min(1)).default([1]),
  interpolation,
});

export type SegmentationView = z.output<typeof segmentationViewSchema>;
export type StillSegmentationView = z.output<typeof stillSegmentationViewSchema>;

/** The edges with what is absent filled in, for pictures of `size`. */
export function edgesOf(
  { shorter, longer }: Pick<SegmentationView, 'shorter' | 'longer'>,
  size: number,
): Edges {
  const short = shorter ?? size;
  return { shorter: short, longer: longer ?? 4 * short };
}
