import { PNG } from 'pngjs';
import type { Format } from './contract.ts';
import { drawText, GLYPH_ADVANCE, GLYPH_HEIGHT, glyphsOf } from './font.ts';

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
/** Screen pixels a side of a dot of the font. */
const DOT = 2;
/** Longer labels are cut in the middle, where names of swept rows differ least. */
const LONGEST_LABEL = 60;

/**
 * Stacks strips, those of small images enlarged up to three times without smoothing, each with its label on the left.
 * Deterministic bytes. Rows whose labels look alike in the picture's letters are numbered.
 */
export function stackRows(rows: readonly PictureRow[]): Buffer {
  const strips = rows.map(({ png }) => PNG.sync.read(png));
  const scale = scaleOf(strips);
  const labels = drawnLabels(rows.map(({ label }) => label));
  const left = Math.max(...labels.map((label) => label.length)) * GLYPH_ADVANCE * DOT + 2 * MARGIN;
  const heights = strips.map(({ height }) => Math.max(height * scale, GLYPH_HEIGHT * DOT) + MARGIN);
  const picture = new PNG({
    width: left + Math.max(...strips.map(({ width }) => width)) * scale,
    height: heights.reduce((sum, height) => sum + height, -MARGIN),
    colorType: 2,
  });
  picture.data.fill(255);
  let top = 0;
  for (const [row, strip] of strips.entries()) {
    enlarge(strip, picture, { scale, left, top });
    const labelTop = top + Math.floor((heights[row] - MARGIN - GLYPH_HEIGHT * DOT) / 2);
    drawText(labels[row], (x, y) => fillDot(picture, MARGIN + x * DOT, labelTop + y * DOT));
    top += heights[row];
  }
  return PNG.sync.write(picture, { colorType: 2, inputColorType: 6, inputHasAlpha: true });
}

/** One character a glyph, and no two alike. */
function drawnLabels(labels: readonly string[]): string[] {
  const drawn = labels.map((label) => shorten(glyphsOf(label)));
  if (new Set(drawn).size === drawn.length) return drawn;
  return drawn.map((label, index) => `${index + 1} ${label}`);
}

function shorten(label: string): string {
  if (label.length <= LONGEST_LABEL) return label;
  const half = (LONGEST_LABEL - 2) / 2;
  return `${label.slice(0, half)}..${label.slice(-half)}`;
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

function fillDot(picture: PNG, left: number, top: number): void {
  for (let y = top; y < top + DOT; y++) {
    const at = (y * picture.width + left) * 4;
    for (let x = 0; x < DOT; x++) picture.data.fill(0, at + x * 4, at + x * 4 + 3);
  }
}
