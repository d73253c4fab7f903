import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type Canvas,
  emptyCanvas,
  encodePng,
  gridOf,
  rescaled,
  viewingFactor,
} from '../../../data/picture/canvas.ts';
import { overlayLabels } from '../../../data/picture/draw.ts';
import type { TestImage } from './evaluate.ts';

/** How many images are shown: the first of the test split. */
export const shownImages = 8;

/** An image with its class for each pixel, as predicted. */
export interface Shown {
  readonly image: TestImage;
  /** [height, width] of its label map. */
  readonly labels: Uint8Array;
}

/** Longer side of a picture in the strips. */
const side = { least: 96, most: 256 };

/**
 * Strips of the same images: `truth.png`, the images and below them their label maps, and `predictions.png`. The colours are
 * those of the classes.
 */
export async function writePictures(dir: string, shown: readonly Shown[]): Promise<void> {
  const factor = viewingFactor(
    Math.max(...shown.map(({ image: { target } }) => Math.max(target.height, target.width))),
    side,
  );
  const strips = shown.map(({ image, labels }) => {
    const plain = atSizeOf(image);
    const coloured = (map: Uint8Array) => {
      const canvas = { ...plain, bytes: plain.bytes.slice() };
      overlayLabels(canvas, map);
      return rescaled(canvas, factor);
    };
    return {
      plain: rescaled(plain, factor),
      truth: coloured(image.target.labels),
      predicted: coloured(labels),
    };
  });
  const save = (name: string, rows: readonly (readonly Canvas[])[]) =>
    writeFile(path.join(dir, name), encodePng(gridOf(rows)));
  await save('truth.png', [strips.map(({ plain }) => plain), strips.map(({ truth }) => truth)]);
  await save('predictions.png', [strips.map(({ predicted }) => predicted)]);
}

/** The first picture of an image at the size of its label map: every pixel the nearest. */
function atSizeOf({ pictures, target: { height, width } }: TestImage): Canvas {
  const { shape, data } = pictures[0]!;
  const [fromHeight, fromWidth] = shape as [number, number];
  const canvas = emptyCanvas(height, width);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * fromHeight) / height) * fromWidth;
    for (let x = 0; x < width; x++) {
      const from = 3 * (row + Math.floor((x * fromWidth) / width));
      canvas.bytes.set((data as Uint8Array).subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return canvas;
}
