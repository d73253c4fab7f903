import { z } from 'zod';
import { constant } from '../../../framework/stage/constant.ts';

const byte = z.int().min(0).max(255);

/** Fields of all dense views. */
export const pixels = z.int().positive();

/** How pixels between pixels are found: as Pillow's filters of these names. */
export const interpolation = z.enum(['bilinear', 'bicubic', 'lanczos']).default('bilinear');

/**
 * Colour of what no picture covers, in bytes: the mean of ImageNet, which is 0 after the usual normalisation, as mmsegmentation
 * and detectron2 have it.
 */
export const fill = constant(z.tuple([byte, byte, byte])).default([124, 116, 104]);

/** Probability that an image is mirrored left to right. */
export const flip = z.number().min(0).max(1).default(0.5);

export type Colour = z.output<typeof fill>;
