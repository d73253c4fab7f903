import { withPixels } from '../decode/open-image.ts';
import type { ImageInstances } from '../targets.ts';
import type { ImageBytes } from '../types.ts';
import type { Chance } from '../views/chance.ts';
import type { Size } from './geometry.ts';
import {
  type CanvasPicture,
  type CanvasSight,
  type DetectedPicture,
  type DetectionSight,
  renderCanvas,
  renderDetection,
} from './render-detection.ts';

/** One image of a training of detection. */
export interface DetectionTask {
  readonly image: ImageBytes;
  readonly target: ImageInstances;
  readonly sight: DetectionSight;
  readonly chance: Chance;
}

/** What a training sees of an image. Rejects as `decode` and `renderDetection` do. */
export function renderDetectionTask({
  image,
  target,
  sight,
  chance,
}: DetectionTask): Promise<DetectedPicture> {
  return withPixels(image, (pixels) => renderDetection(pixels, target, sight, chance));
}

/** One image of a test of detection, and the size that its annotations go by. */
export interface CanvasTask {
  readonly image: ImageBytes;
  readonly size: Size;
  readonly sight: CanvasSight;
}

/** What a test sees of an image. Rejects as `decode` and `renderCanvas` do. */
export function renderCanvasTask({ image, size, sight }: CanvasTask): Promise<CanvasPicture> {
  return withPixels(image, (pixels) => renderCanvas(pixels, size, sight));
}
