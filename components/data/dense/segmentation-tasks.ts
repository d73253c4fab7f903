import { StageError } from '../../../framework/stage/stage-error.ts';
import { type Labels, readLabelMap } from '../decode/label-map.ts';
import { withPixels } from '../decode/open-image.ts';
import type { LabelMap } from '../targets.ts';
import type { ImageBytes } from '../types.ts';
import type { Chance } from '../views/chance.ts';
import {
  renderSegmentation,
  renderWhole,
  type SegmentationSight,
  type SegmentedPicture,
  type WholePicture,
  type WholeSight,
} from './render-segmentation.ts';

interface Labelled {
  readonly image: ImageBytes;
  readonly labels: LabelMap;
  /** How many classes there are. */
  readonly classes: number;
}

/** One image of a training of segmentation. */
export interface SegmentationTask extends Labelled {
  readonly sight: SegmentationSight;
  readonly chance: Chance;
}

/** What a training sees of an image. Rejects as `decode`, `readLabelMap` and `renderSegmentation` do. */
export async function renderSegmentationTask(task: SegmentationTask): Promise<SegmentedPicture> {
  const { image, sight, chance } = task;
  const target = await labelsOf(task);
  return withPixels(image, (pixels) => renderSegmentation(pixels, target, sight, chance));
}

/** One image of a test of segmentation. */
export interface WholeTask extends Labelled {
  readonly sight: WholeSight;
}

/** Pictures of a whole image, one for each scale, and its label map. */
export interface Whole {
  readonly pictures: readonly WholePicture[];
  readonly target: Labels;
}

/** What a test sees of an image. Rejects as `renderSegmentationTask` does. */
export async function renderWholeTask(task: WholeTask): Promise<Whole> {
  const target = await labelsOf(task);
  const pictures = await withPixels(task.image, (pixels) => renderWhole(pixels, target, task.sight));
  return { pictures, target };
}

/** The image is named by who asks for it, and comes first in the message. */
async function labelsOf({ labels, classes }: Labelled): Promise<Labels> {
  try {
    return await readLabelMap(labels, classes);
  } catch (cause) {
    if (!(cause instanceof StageError)) throw cause;
    const { hint } = cause;
    throw new StageError(`its label map: ${cause.message}`, {
      cause,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
