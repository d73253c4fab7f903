import { z } from 'zod';
import { strideField } from '../config.ts';

const count = z.int().positive();

/** The form of the network; the defaults are the official one's. */
export const formFields = {
  /** Channels at the highest resolution; twice as many at each lower one. */
  width: z.int().multipleOf(4).min(4).default(256),
  stride: strideField,
  /** Of each resolution, in the encoder and in the decoder. */
  residualBlocks: count.default(2),
  codebook: z
    .strictObject({
      /** Number of codes: K. */
      size: z.int().min(2).default(8192),
      /** Length of a code vector: D. The channels in front of the decoder's first block. */
      dim: count.default(128),
    })
    .prefault({}),
};
