import type { Random } from '../nn/random.ts';

export interface MaskingOptions {
  /** Patches along one side of the image. */
  readonly side: number;
  /** So many patches are masked, or a few less: see `blockMask`. Fewer than there are. */
  readonly count: number;
  /** Smallest area of a block in patches. */
  readonly minPatches: number;
  /** Least height / width of a block; the greatest is its inverse. */
  readonly minAspect?: number;
}

/** Patches along a side of the grid that BEiT masks: 14 x 14. */
const BEIT_SIDE = 14;

/**
 * Block-wise masking as BEiT's generator does it (microsoft/unilm, beit/masking_generator.py): blocks of random area
 * and aspect are added until `count` patches are masked or ten draws in a row add nothing. BEiT's masks then stay a
 * little below `count` (74.5 of 75 on average), because a block of the least area doesn't fit any more, and so do these
 * on grids from BEiT's 14 x 14 up. On smaller ones, where a patch is a large share of the mask, and where a block would
 * still fit, single patches beside the masked ones fill it up: masks have exactly `count` patches.
 *
 * Returns side * side flags, row by row.
 */
export function blockMask(
  random: Random,
  { side, count, minPatches, minAspect = 0.3 }: MaskingOptions,
): Uint8Array {
  const mask = new Uint8Array(side * side);
  const logAspect = Math.log(minAspect);
  let masked = 0;
  while (masked < count) {
    const added = addBlock(count - masked);
    if (added === 0) break;
    masked += added;
  }
  if (masked === 0 || side < BEIT_SIDE || count - masked >= minPatches) fillUp(random, mask, side, count);
  return mask;

  function addBlock(room: number): number {
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = minPatches + random.uniform() * (room - minPatches);
      const aspect = Math.exp(logAspect + random.uniform() * -2 * logAspect);
      const height = Math.round(Math.sqrt(area * aspect));
      const width = Math.round(Math.sqrt(area / aspect));
      if (height < 1 || width < 1 || height >= side || width >= side) continue;
      const top = random.int(side - height + 1);
      const left = random.int(side - width + 1);
      const fresh = freshIn(top, left, height, width);
      if (fresh.length === 0 || fresh.length > room) continue;
      for (const index of fresh) mask[index] = 1;
      return fresh.length;
    }
    return 0;
  }

  function freshIn(top: number, left: number, height: number, width: number): number[] {
    const fresh: number[] = [];
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) if (!mask[y * side + x]) fresh.push(y * side + x);
    }
    return fresh;
  }
}

/** Adds single patches, each beside a masked one if there is any, until `count` are masked. */
function fillUp(random: Random, mask: Uint8Array, side: number, count: number): void {
  for (let masked = mask.reduce((sum, flag) => sum + flag, 0); masked < count; masked++) {
    const free = [...mask.keys()].filter((index) => !mask[index]);
    const beside = free.filter((index) => neighbours(index, side).some((other) => mask[other]));
    const candidates = beside.length > 0 ? beside : free;
    mask[candidates[random.int(candidates.length)]!] = 1;
  }
}

function neighbours(index: number, side: number): number[] {
  const [y, x] = [Math.floor(index / side), index % side];
  const around = [
    [y - 1, x],
    [y + 1, x],
    [y, x - 1],
    [y, x + 1],
  ] as const;
  return around
    .filter((place) => place.every((at) => at >= 0 && at < side))
    .map(([row, column]) => row * side + column);
}

/** Masks of a batch, and which rows of the [B * tokens] token list they are, padded to B * count. */
export interface BatchMasks {
  /** float32 [B * tokens]: 1 where masked. */
  readonly mask: Float32Array;
  /** int32 [B * count]: rows of masked tokens; padding points at row 0. */
  readonly rows: Int32Array;
  /** float32 [B * count]: 1 for a masked token, 0 for padding. */
  readonly weights: Float32Array;
}

/** @param draw random numbers of an image of the batch: its mask doesn't depend on the others' */
export function batchMasks(
  draw: (image: number) => Random,
  batch: number,
  options: MaskingOptions,
): BatchMasks {
  const tokens = options.side ** 2;
  const mask = new Float32Array(batch * tokens);
  const rows = new Int32Array(batch * options.count);
  const weights = new Float32Array(batch * options.count);
  let next = 0;
  for (let image = 0; image < batch; image++) {
    const flags = blockMask(draw(image), options);
    for (let token = 0; token < tokens; token++) {
      if (!flags[token]) continue;
      mask[image * tokens + token] = 1;
      rows[next] = image * tokens + token;
      weights[next++] = 1;
    }
  }
  return { mask, rows, weights };
}
