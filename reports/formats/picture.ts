import { PNG } from 'pngjs';
import { drawText, GLYPH_ADVANCE, GLYPH_HEIGHT, glyphsOf } from './font.ts';

/** A labelled row of the picture: a PNG strip of images. */
export interface PictureRow {
  readonly label: string;
  readonly png: Buffer;
}

const SCALE = 3;
const MARGIN = 4;
/** Screen pixels a side of a dot of the font. */
const DOT = 2;
/** Longer labels are cut in the middle, where names of swept rows differ least. */
const LONGEST_LABEL = 60;

/**
 * Stacks strips, enlarged by three without smoothing, each with its label on the left and its own size. Deterministic
 * bytes. Rows whose labels look alike in the picture's letters are numbered.
 */
export function stackRows(rows: readonly PictureRow[]): Buffer {
  const strips = rows.map(({ png }) => PNG.sync.read(png));
  const labels = drawnLabels(rows.map(({ label }) => label));
  const left = Math.max(...labels.map((label) => label.length)) * GLYPH_ADVANCE * DOT + 2 * MARGIN;
  const heights = strips.map(({ height }) => Math.max(height * SCALE, GLYPH_HEIGHT * DOT) + MARGIN);
  const picture = new PNG({
    width: left + Math.max(...strips.map(({ width }) => width)) * SCALE,
    height: heights.reduce((sum, height) => sum + height, -MARGIN),
    colorType: 2,
  });
  picture.data.fill(255);
  let top = 0;
  for (const [row, strip] of strips.entries()) {
    enlarge(strip, picture, left, top);
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

function enlarge(strip: PNG, picture: PNG, left: number, top: number): void {
  for (let y = 0; y < strip.height * SCALE; y++) {
    for (let x = 0; x < strip.width * SCALE; x++) {
      const from = (Math.floor(y / SCALE) * strip.width + Math.floor(x / SCALE)) * 4;
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
