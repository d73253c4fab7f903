import { z } from 'zod';
import type { WiredInput, WiringIssue } from '../../framework/stage/component.ts';
import { factOf } from '../../framework/stage/expect.ts';
import type { MaskingOptions } from './masking.ts';

/** How images are masked, as fields of a pretraining. The defaults are BEiT's at 224 pixels, scaled to other grids. */
export const maskFields = {
  /** Share of the patches that is masked. BEiT: 75 of 196. */
  maskRatio: z
    .number()
    .gt(0)
    .lt(1)
    .default(75 / 196),
  /**
   * Smallest area of a masked block in patches. Absent: BEiT's 16 where there are 196 patches, the same share of larger
   * and smaller grids, and at least 2 where that fits.
   */
  minMaskPatches: z.number().int().positive().optional(),
};

export interface MaskFields {
  readonly maskRatio: number;
  readonly minMaskPatches?: number | undefined;
}

/** A field whose masks can't be, and why. */
export interface MaskIssue {
  readonly field: keyof MaskFields;
  readonly message: string;
  readonly hint: string;
}

/** What the fields say for images of side * side patches. */
export function maskingOf({ maskRatio, minMaskPatches }: MaskFields, side: number): MaskingOptions {
  const tokens = side ** 2;
  const count = Math.round(tokens * maskRatio);
  const share = Math.max(2, Math.round((tokens * 16) / 196));
  return {
    side,
    count,
    minPatches: minMaskPatches ?? Math.max(1, Math.min(share, largestBlock(side, count))),
  };
}

/** For `expects`: the same for the images of the training data, if their size is known. */
export function expectMasks(fields: MaskFields, patch: number, train: WiredInput | undefined): WiringIssue[] {
  const size = factOf(train, 'size');
  if (size === undefined || size % patch !== 0) return [];
  if (size === patch) {
    const hint = `images of ${train!.name} have ${size} x ${size} pixels: a mask needs patches beside it`;
    return [{ path: ['backbone', 'patch'], message: `expected at most ${size / 2}`, hint }];
  }
  return maskIssues(fields, size / patch).map(({ field, ...issue }) => ({ path: [field], ...issue }));
}

/** Fields whose masks can't be on a grid of side * side patches. */
export function maskIssues(fields: MaskFields, side: number): MaskIssue[] {
  const tokens = side ** 2;
  const { count, minPatches } = maskingOf(fields, side);
  const grid = `an image has ${side} x ${side} patches`;
  if (count < 1 || count >= tokens) {
    const hint = `${grid}, and ${fields.maskRatio} of ${tokens}, rounded, is ${count}: mask at least 1 and leave at least 1`;
    const [least, most] = [
      Math.ceil(500 / tokens) / 1000,
      Math.floor((1000 * (tokens - 0.51)) / tokens) / 1000,
    ];
    return [{ field: 'maskRatio', message: `expected ${least} to ${most}`, hint }];
  }
  const most = largestBlock(side, count);
  if (minPatches <= most) return [];
  const hint = `${grid}, ${count} of them are masked, and a block is at most ${side - 1} patches high and wide`;
  return [{ field: 'minMaskPatches', message: `expected at most ${most}`, hint }];
}

/** The most patches that a block can have: it is shorter than the image on both sides, and part of the mask. */
function largestBlock(side: number, count: number): number {
  return Math.min(count, (side - 1) ** 2);
}
