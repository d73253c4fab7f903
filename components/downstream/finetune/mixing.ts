import { z } from 'zod';
import type { ConfigIssue } from '../../../framework/stage/component.ts';
import type { HostTensor } from '../../engine/types.ts';
import { drawBeta } from '../../nn/beta.ts';
import { type Random, random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';

const share = z.number().min(0).max(1);

/** Fields of a training whose images are mixed in pairs. */
export const mixingFields = {
  /** Alpha of mixup (arXiv 1710.09412): images and labels are averaged with weights of Beta(alpha, alpha); 0: never. BEiT: 0.8. */
  mixup: z.number().nonnegative().default(0),
  /** Alpha of cutmix (arXiv 1905.04899): a rectangle comes from the other image; 0: never. BEiT: 1. */
  cutmix: z.number().nonnegative().default(0),
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

/** How an image is mixed with its partner. */
export interface Mix {
  /** Weight of its own pixels, outside the box. */
  readonly pixels: number;
  /** Weight of its own label. */
  readonly label: number;
  /** Pixels that are the partner's: rows from top to below bottom, columns from left to below right. */
  readonly box: readonly [top: number, bottom: number, left: number, right: number];
}

const alone: Mix = { pixels: 1, label: 1, box: [0, 0, 0, 0] };

/** What timm's Mixup draws for a batch (timm/data/mixup.py; boxes as timm 0.3.2, which BEiT uses, cuts odd sides). */
export function drawMix({ mixup, cutmix, mixing }: Mixing, size: number, random: Random): Mix {
  if (random.uniform() >= mixing.probability) return alone;
  const cuts = mixup > 0 && cutmix > 0 ? random.uniform() < mixing.cutmixShare : cutmix > 0;
  const alpha = cuts ? cutmix : mixup;
  const weight = drawBeta(random, alpha, alpha);
  if (!cuts) return { ...alone, pixels: weight, label: weight };
  const [y, x] = [random.int(size), random.int(size)];
  return cutMix(weight, size, [y, x]);
}

/** A box of 1 - weight of a picture, around a pixel; of what is outside the picture nothing counts, nor for the label. */
export function cutMix(weight: number, size: number, [y, x]: readonly [y: number, x: number]): Mix {
  const half = Math.floor(Math.trunc(size * Math.sqrt(1 - weight)) / 2);
  const within = (at: number): number => Math.max(0, Math.min(at, size));
  const box = [within(y - half), within(y + half), within(x - half), within(x + half)] as const;
  return { pixels: 1, label: 1 - ((box[1] - box[0]) * (box[3] - box[2])) / size ** 2, box };
}

/**
 * How the images of a micro-batch are mixed, float32 [count, 6]: weight of the pixels, of the label, and the box. A function of
 * the step and of places in the batch, so that micro-batches have what the batch has.
 *
 * @param first place in the batch of the first image
 */
export function mixesOf(
  config: Mixing,
  place: { readonly seed: number; readonly step: number; readonly first: number; readonly count: number },
  size: number,
): HostTensor {
  const { seed, step, first, count } = place;
  const values = new Float32Array(count * 6);
  let drawn: { readonly group: number; readonly mix: Mix } | undefined;
  for (let image = 0; image < count; image++) {
    const group = Math.floor((first + image) / config.mixing.group);
    if (drawn?.group !== group)
      drawn = { group, mix: drawMix(config, size, random(seed, 'mixing', step, group)) };
    const { pixels, label, box } = drawn.mix;
    values.set([pixels, label, ...box], image * 6);
  }
  return hostTensor([count, 6], values);
}
