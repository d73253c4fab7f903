import type { Box, MaskSize } from '../../data/masks/runs.ts';
import type { RunLengths } from '../../data/targets.ts';
import type { HostTensor } from '../../engine/types.ts';
import type { Detections } from './model/detect.ts';
import { type Corners, pasteMask } from './paste.ts';

/** An object that was found in an image. */
export interface Detection {
  /** Index into the classes. */
  readonly class: number;
  /** From 0 to 1. */
  readonly score: number;
  /** In pixels of the image, to a thousandth. */
  readonly box: Box;
  /** As large as the image. */
  readonly mask: RunLengths;
}

/**
 * What was found in an image of a batch, in pixels of the image, the best first: boxes are cut at its borders, those that have
 * no area there are left out (detectron2, `detector_postprocess`), and masks are pasted into them.
 *
 * @param place of the image in the batch
 * @param scale height and width of its picture over those of the image
 */
export function detectionsOf(
  { boxes, scores, classes, masks }: Detections<HostTensor>,
  place: number,
  size: MaskSize,
  [down, across]: readonly [down: number, across: number],
): Detection[] {
  const [, most, side] = masks.shape as [number, number, number];
  const detections: Detection[] = [];
  for (let row = place * most; row < (place + 1) * most; row++) {
    const [index, score] = [classes.data[row]!, scores.data[row]!];
    if (index < 0 || score < 0) continue;
    const [x0, y0, x1, y1] = boxes.data.slice(4 * row, 4 * row + 4) as unknown as Corners;
    const [left, right] = [x0, x1].map((x) => clip(x / across, size.width)) as [number, number];
    const [top, bottom] = [y0, y1].map((y) => clip(y / down, size.height)) as [number, number];
    const box = boxOf([left, top, right, bottom]);
    if (box[2] <= 0 || box[3] <= 0) continue;
    const map = masks.data.subarray(row * side ** 2, (row + 1) * side ** 2) as Float32Array;
    detections.push({ class: index, score, box, mask: pasteMask(map, [left, top, right, bottom], size) });
  }
  return detections;
}

function clip(value: number, most: number): number {
  return Math.max(0, Math.min(value, most));
}

/** Shorter to write, and finer than what a network sees. */
function boxOf([left, top, right, bottom]: Corners): Box {
  const [x, y] = [toThousandths(left), toThousandths(top)];
  return [x, y, toThousandths(right - x), toThousandths(bottom - y)];
}

function toThousandths(value: number): number {
  return Math.round(value * 1000) / 1000;
}
