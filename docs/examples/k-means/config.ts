import { defineComponent, expectAtMost, expectDivisor } from 'peco-exp';
import { z } from 'zod';

const schema = z.strictObject({
  /** Number of codes. */
  size: z.int().min(2).default(64),
  /** Side of a patch in pixels: each patch becomes a token. */
  stride: z.int().positive().default(8),
  /** Training images that the codes are fitted to. */
  images: z.int().positive().default(1000),
  /** Passes over those images. */
  passes: z.int().positive().default(10),
  /** Absent: one codebook for each seed of the experiment. A number: one codebook that all seeds share. */
  seed: z.int().nonnegative().optional(),
});

export type KMeansConfig = z.output<typeof schema>;

/** Codes are patches of pixels, found by k-means (Lloyd 1982): a tokenizer without an encoder. */
export const kMeans = defineComponent({
  role: 'tokenizer',
  kind: 'k-means',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  load: new URL('./load.ts', import.meta.url).href,
  provides: ({ stride, size }) => ({ stride, vocabulary: size }),
  expects: ({ stride, images }, { train }) => [
    ...expectDivisor({ path: ['stride'], value: stride }, train, 'size', 'tokens tile an image'),
    ...expectAtMost({ path: ['images'], value: images }, train, 'images'),
  ],
  // `run` can stop at `until` and resume, so a halved sweep may train it in rungs.
  steps: 'passes',
});
