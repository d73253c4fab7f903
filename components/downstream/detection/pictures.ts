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

/** Tiles of a picture, those of a row, and their most pixels a side. */
const tiles = 16;
const tilesInRow = 8;
const mostPixels = 160;
/**
 * Detections of this score are all shown, as in detectron2's demo. Where an image has more objects than those, the next best
 * are shown up to their number, so that the picture of a network that is never sure says what it would answer.
 */
const sureScore = 0.5;

interface Shown {
  readonly class: number;
  readonly score?: number;
  readonly box: Box;
  readonly mask: RunLengths;
}

/** Two pictures of the first test images: with their objects, and with what was found in them and how sure it is. */
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
      truths.push(tile(pixels, objects, data.classes));
      predictions.push(tile(pixels, worthShowing(detections, objects.length), data.classes));
    },
    async write(dir) {
      await writeFile(path.join(dir, 'truth.png'), encodePng(gridOf(inRows(truths))));
      await writeFile(path.join(dir, 'predictions.png'), encodePng(gridOf(inRows(predictions))));
    },
  };
}

/** The detections that are sure, and at least the `count` best. */
export function worthShowing(detections: readonly Detection[], count: number): Detection[] {
  const ranked = [...detections].sort((a, b) => b.score - a.score);
  return ranked.filter(({ score }, rank) => score >= sureScore || rank < count);
}

function inRows(all: readonly Canvas[]): Canvas[][] {
  const rows: Canvas[][] = [];
  for (let first = 0; first < all.length; first += tilesInRow)
    rows.push(all.slice(first, first + tilesInRow));
  return rows;
}

/** An image with objects, the largest below: masks in the colours of their classes, boxes, names. */
function tile(pixels: Pixels, objects: readonly Shown[], names: readonly string[]): Canvas {
  const drawn = canvasOf(pixels);
  const ordered = [...objects].sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
  for (const object of ordered) overlayMask(drawn, decodeMask(object.mask), colourOf(object.class));
  const factor = viewingFactor(Math.max(drawn.height, drawn.width), { most: mostPixels });
  const picture = rescaled(drawn, factor);
  for (const { class: index, box, score } of ordered) {
    const [left, top, width, height] = box.map((value) => value * factor) as [number, number, number, number];
    const colour = colourOf(index);
    outlineBox(picture, [left, top, left + width, top + height], colour);
    const above = Math.max(0, Math.round(top) - lineHeight);
    const name = names[index] ?? String(index);
    writeText(picture, score === undefined ? name : `${name} ${score.toFixed(2)}`, {
      left: Math.max(0, Math.round(left)),
      top: above,
      ground: colour,
    });
  }
  return picture;
}
