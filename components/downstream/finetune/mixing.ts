import type { HostTensor } from '../../engine/types.ts';
import { drawBeta } from '../../nn/beta.ts';
import { type Random, random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';
import type { Mixing } from './mixing-config.ts';

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
