import { PNG } from 'pngjs';
import type { Format } from './contract.ts';
import { drawLabel, type Label, layLabels } from './labels.ts';

/** The pictures of a report, as they are. */
export const pictureFormat: Format = {
  name: 'pictures',
  files: ({ pictures }) => [...pictures].map(([name, content]) => ({ name, content })),
};

/** A labelled row of the picture: a PNG strip of images. */
export interface PictureRow {
  readonly label: string;
  readonly png: Buffer;
}

/** Strips of small images are enlarged to about this height in pixels, larger ones are as they are. */
const USUAL_HEIGHT = 192;
const MOST = 3;
const MARGIN = 4;

/**
 * Stacks strips, those of small images enlarged up to three times without smoothing, each with its label on the left.
 * Deterministic bytes. Where labels of two rows look alike, all are numbered.
 */
export function stackRows(rows: readonly PictureRow[]): Buffer {
  const strips = rows.map(({ png }) => PNG.sync.read(png));
  const scale = scaleOf(strips);
  const { labels, width } = layLabels(
    rows.map(({ label }, row) => ({ text: label, height: strips[row].height * scale })),
  );
  const left = width + 2 * MARGIN;
  const heights = strips.map((strip, row) => Math.max(strip.height * scale, labels[row].height) + MARGIN);
  const picture = new PNG({
    width: left + Math.max(...strips.map((strip) => strip.width)) * scale,
    height: heights.reduce((sum, height) => sum + height, -MARGIN),
    colorType: 2,
  });
  picture.data.fill(255);
  let top = 0;
  for (const [row, strip] of strips.entries()) {
    enlarge(strip, picture, { scale, left, top });
    writeLabel(labels[row], picture, top + Math.floor((heights[row] - MARGIN - labels[row].height) / 2));
    top += heights[row];
  }
  return PNG.sync.write(picture, { colorType: 2, inputColorType: 6, inputHasAlpha: true });
}

function scaleOf(strips: readonly PNG[]): number {
  const highest = Math.max(...strips.map(({ height }) => height));
  return Math.min(MOST, Math.max(1, Math.floor(USUAL_HEIGHT / highest)));
}

function enlarge(
  strip: PNG,
  picture: PNG,
  { scale, left, top }: { readonly scale: number; readonly left: number; readonly top: number },
): void {
  for (let y = 0; y < strip.height * scale; y++) {
    for (let x = 0; x < strip.width * scale; x++) {
      const from = (Math.floor(y / scale) * strip.width + Math.floor(x / scale)) * 4;
      picture.data.set(strip.data.subarray(from, from + 3), ((top + y) * picture.width + left + x) * 4);
    }
  }
}

function writeLabel(label: Label, picture: PNG, top: number): void {
  drawLabel(label, (x, y) => {
    const at = ((top + y) * picture.width + MARGIN + x) * 4;
    picture.data.fill(0, at, at + 3);
  });
}
