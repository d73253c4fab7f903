import { z } from 'zod';
import { constant } from '../../framework/stage/constant.ts';

const share = z.number().min(0).max(1);
const power = z.number().positive();

/**
 * How a learning rate falls after its peak. A training whose field is absent has BEiT's cosine, whose warm-up is followed by
 * half a wave; the others are those of segmentation and detection, where the warm-up is a factor of what would be there
 * without it.
 */
export const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('cosine') }),
  z.strictObject({
    /** Which form. */
    kind: z.literal('poly'),
    /** (1 - step / steps) to this power; 1: linear. mmsegmentation's 0.9 for convolutional networks, 1 for transformers. */
    power: power.default(1),
    /** Share of the rate at the first step of the warm-up (`warmup_ratio`). */
    warmupFrom: share.default(1e-6),
  }),
  z.strictObject({
    kind: z.literal('steps'),
    /** Shares of the length after which the rate falls: epochs 8 and 11 of 12 are [8 / 12, 11 / 12], the 1x schedule. */
    at: constant(z.array(z.number().gt(0).lt(1)).min(1)).default([8 / 12, 11 / 12]),
    /** The rate is multiplied by it at each of them. */
    factor: z.number().gt(0).lt(1).default(0.1),
    /** Share of the rate at the first step of the warm-up: 0.001 in Detectron2, torchvision and MMDetection. */
    warmupFrom: share.default(1e-3),
  }),
]);

export type Schedule = z.output<typeof scheduleSchema>;
