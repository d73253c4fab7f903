import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withPixels } from '../../data/decode/open-image.ts';
import { runsOf } from '../../data/masks/polygon.ts';
import { type Box, decodeMask } from '../../data/masks/runs.ts';
import {
  type Canvas,
  canvasOf,
  encodePng,
  gridOf,
  rescaled,
  viewingFactor,
} from '../../data/picture/canvas.ts';
import { colourOf, lineHeight, outlineBox, overlayMask, writeText } from '../../data/picture/draw.ts';
import type { ImageInstances, RunLengths } from '../../data/targets.ts';
import type { Dataset, Pixels } from '../../data/types.ts';
import type { Detection } from './detections.ts';

/** Tiles of a strip, and their most pixels a side. */
const tiles = 8;
const mostPixels = 160;
/** Detections below aren't shown, as in detectron2's demo. */
const leastScore = 0.5;

interface Shown {
  readonly class: number;
  readonly box: Box;
  readonly mask: RunLengths;
}

/** Two strips of the first test images: with their objects, and with what was found in them. */
export interface Strips {
  /** Takes the first images, in order, and leaves the others out. */
  add(index: number, target: ImageInstances, detections: readonly Detection[]): Promise<void>;
  /** Writes `truth.png` and `predictions.png`. */
  write(dir: string): Promise<void>;
}

export function openStrips(data: Dataset<ImageInstances>): Strips {
  const [truths, predictions]: [Canvas[], Canvas[]] = [[], []];
  return {
    async add(index, target, detections) {
      if (index >= tiles) return;
      const pixels = await withPixels(await data.image(index), async (decoded) => decoded);
      const objects = target.instances.flatMap(({ class: own, box, mask }) =>
        mask ? [{ class: own, box, mask: runsOf(mask, target) }] : [],
      );
      const sure = detections.filter(({ score }) => score >= leastScore);
      truths.push(tile(pixels, objects, data.classes));
      predictions.push(tile(pixels, sure, data.classes));
    },
    async write(dir) {
      await writeFile(path.join(dir, 'truth.png'), encodePng(gridOf([truths])));
      await writeFile(path.join(dir, 'predictions.png'), encodePng(gridOf([predictions])));
    },
  };
}

/** An image with objects, the largest below: masks in the colours of their classes, boxes, names. */
function tile(pixels: Pixels, objects: readonly Shown[], names: readonly string[]): Canvas {
  const drawn = canvasOf(pixels);
  const ordered = [...objects].sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
  for (const object of ordered) overlayMask(drawn, decodeMask(object.mask), colourOf(object.class));
  const factor = viewingFactor(Math.max(drawn.height, drawn.width), { most: mostPixels });
  const picture = rescaled(drawn, factor);
  for (const { class: index, box } of ordered) {
    const [left, top, width, height] = box.map((value) => value * factor) as [number, number, number, number];
    const colour = colourOf(index);
    outlineBox(picture, [left, top, left + width, top + height], colour);
    const above = Math.max(0, Math.round(top) - lineHeight);
    writeText(picture, names[index] ?? String(index), {
      left: Math.max(0, Math.round(left)),
      top: above,
      ground: colour,
    });
  }
  return picture;
}
