import { z } from 'zod';
import type { ConfigIssue, WiredInput, WiringIssue } from '../../framework/stage/component.ts';
import { factOf } from '../../framework/stage/expect.ts';
import { countHeldOut } from '../data/held-count.ts';
import { lengthUnit, type Recipe } from './recipe.ts';

/**
 * Which weights of a training are measured: the `last`, or those that were the best on images that are held out of the
 * training split. The test split never decides. Of a training with `average` the averages are meant.
 */
export const checkpointSchema = z.union([
  z.literal('last'),
  z.strictObject({
    /** On which images, and how often it is looked for. */
    validation: z.strictObject({
      /** Of the training images, held out: they are not learnt from. */
      share: z.number().gt(0).lt(1).default(0.1),
      /** They are looked at each so many epochs where `epochs` is given, otherwise steps, and at the end. */
      every: z.number().positive(),
    }),
  }),
]);

export type Checkpoint = z.output<typeof checkpointSchema>;

interface Configured extends Recipe {
  readonly checkpoint: Checkpoint;
}

/** How many of so many images are held out: none where the last weights are measured. */
export function countValidation(checkpoint: Checkpoint, images: number): number {
  return checkpoint === 'last' ? 0 : countHeldOut(images, checkpoint.validation.share);
}

/** For `check`: a look at validation images that would never come. */
export function checkCheckpoint({ checkpoint, ...recipe }: Configured): ConfigIssue[] {
  if (checkpoint === 'last') return [];
  const path = ['checkpoint', 'validation', 'every'];
  const { every } = checkpoint.validation;
  const unit = lengthUnit(recipe);
  const length = recipe[unit];
  const hint = "to measure the last weights, leave `checkpoint` out: it is 'last' then";
  if (length !== undefined && every > length)
    return [{ path, message: `must be at most \`${unit}\`, ${length}`, hint }];
  if (unit === 'steps' && !Number.isInteger(every)) {
    return [{ path, message: 'must be a whole number of steps' }];
  }
  return [];
}

/**
 * For `expects`: that a batch can be made of the images that are learnt from, and, where `perClass` is said, that of each
 * class an image is held out and another is not.
 *
 * @param images labelled images, or all
 */
export function expectValidation(
  { checkpoint, batchSize }: Configured,
  train: WiredInput | undefined,
  {
    images = factOf(train, 'images'),
    classes,
  }: { readonly images?: number | undefined; readonly classes?: boolean },
): WiringIssue[] {
  if (checkpoint === 'last' || images === undefined) return [];
  const path = ['checkpoint', 'validation', 'share'];
  const held = countValidation(checkpoint, images);
  const kinds = classes ? (factOf(train, 'classes') ?? 1) : 1;
  const of = kinds > 1 ? `: at least one of each of ${kinds} classes is needed` : '';
  if (held < kinds)
    return [{ path, message: `holds out ${held} of ${images} images${of}`, hint: 'raise the share' }];
  const learnt = images - held;
  if (learnt < kinds)
    return [
      { path, message: `leaves ${learnt} of ${images} images to learn from${of}`, hint: 'lower the share' },
    ];
  if (learnt >= batchSize) return [];
  const hint = 'lower `batchSize`, or the share';
  return [
    { path, message: `leaves ${learnt} of ${images} images, fewer than \`batchSize\`, ${batchSize}`, hint },
  ];
}

/**
 * For `smoke`, of a training of two steps: a look after each of them at a few images.
 *
 * @param images of the smoke run, and how many of them have to be held out at the least
 */
export function smokeCheckpoint(
  { checkpoint }: Pick<Configured, 'checkpoint'>,
  { images, classes = 1 }: { readonly images: number | undefined; readonly classes?: number | undefined },
): { readonly checkpoint?: Exclude<Checkpoint, 'last'> } {
  if (checkpoint === 'last') return {};
  const { share } = checkpoint.validation;
  const least = images === undefined ? share : Math.max(share, classes / images);
  return { checkpoint: { validation: { share: least, every: 1 } } };
}
