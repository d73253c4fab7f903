import { z } from 'zod';
import type { ConfigIssue } from '../../../framework/stage/component.ts';

const share = z.number().min(0).max(1);

/** Fields of a training whose images are mixed in pairs. */
export const mixingFields = {
  /** Alpha of mixup (arXiv 1710.09412): images and labels are averaged with weights of Beta(alpha, alpha); 0: never. BEiT: 0.8. */
  mixup: z.number().nonnegative().default(0),
  /** Alpha of cutmix (arXiv 1905.04899): a rectangle comes from the other image; 0: never. BEiT: 1. */
  cutmix: z.number().nonnegative().default(0),
  /** How often, and of which images; nothing where `mixup` and `cutmix` are 0. */
  mixing: z
    .strictObject({
      /** That images are mixed at all. */
      probability: share.default(1),
      /** That it is by cutmix, where both are in use. */
      cutmixShare: share.default(0.5),
      /**
       * Images of a batch, one after another, that are mixed in the same way. timm draws once for the images of a GPU: 128 where
       * BEiT trains on 8.
       */
      group: z.int().positive().multipleOf(2).default(128),
    })
    .prefault({}),
};

export interface Mixing {
  readonly mixup: number;
  readonly cutmix: number;
  readonly mixing: {
    readonly probability: number;
    readonly cutmixShare: number;
    readonly group: number;
  };
}

/** Whether images are mixed. */
export function mixes({ mixup, cutmix, mixing }: Mixing): boolean {
  return (mixup > 0 || cutmix > 0) && mixing.probability > 0;
}

/** Pairs lie in one micro-batch. */
export function checkMixing(
  config: Mixing & { readonly batchSize: number; readonly microBatch?: number | undefined },
): ConfigIssue[] {
  const field = config.microBatch === undefined ? 'batchSize' : 'microBatch';
  if (!mixes(config) || (config[field] ?? 0) % 2 === 0) return [];
  const hint = 'images are mixed in pairs: give an even number, or leave `mixup` and `cutmix` out';
  return [{ path: [field], message: 'must be even', hint }];
}
