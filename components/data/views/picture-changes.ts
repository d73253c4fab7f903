import { random } from '../../nn/random.ts';
import type { Pixels } from '../types.ts';
import type { Chance } from './chance.ts';
import { drawErased, eraseWindow } from './erasing.ts';
import type { Erasing } from './erasing-config.ts';
import { applyOperations } from './randaugment/apply.ts';
import type { RandAugment } from './randaugment/config.ts';
import { drawOperations } from './randaugment/draw.ts';

/** What is done to a picture that is cropped, resized and mirrored: in this order. */
export interface PictureChanges {
  readonly randAugment?: RandAugment;
  readonly erasing?: Erasing;
}

/**
 * A picture of three channels, changed; the one that is given may be changed. Pictures of one image in several sizes have
 * the same changes; rectangles that they lose are drawn by their size.
 */
export function changePicture(
  picture: Pixels,
  { randAugment, erasing }: PictureChanges,
  [seed, ...which]: Chance,
): Pixels {
  const changed = randAugment
    ? applyOperations(
        picture,
        drawOperations(randAugment, random(seed, 'randaugment', ...which)),
        randAugment,
      )
    : picture;
  if (!erasing) return changed;
  const drawn = random(seed, 'erasing', ...which);
  const window = drawErased(erasing, changed, drawn);
  if (window) eraseWindow(changed, window, erasing, drawn);
  return changed;
}
