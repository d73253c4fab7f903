import { PNG } from 'pngjs';
import { drawText, GLYPH_ADVANCE, GLYPH_HEIGHT } from './font.ts';

/** A labelled row of the picture: a PNG strip of images. */
export interface PictureRow {
  readonly label: string;
  readonly png: Buffer;
}

const SCALE = 3;
const MARGIN = 4;

/** Stacks strips of equal size, enlarged by three without smoothing, each with its label on the left. Deterministic bytes. */
export function stackRows(rows: readonly PictureRow[]): Buffer {
  const strips = rows.map(({ png }) => PNG.sync.read(png));
  const [{ width, height }] = strips;
  const longest = Math.max(...rows.map(({ label }) => [...label].length));
  const left = longest * GLYPH_ADVANCE * 2 + 2 * MARGIN;
  const rowHeight = height * SCALE + MARGIN;
  const picture = new PNG({
    width: left + width * SCALE,
    height: rows.length * rowHeight - MARGIN,
    colorType: 2,
  });
  picture.data.fill(255);
  for (const [row, strip] of strips.entries()) {
    const top = row * rowHeight;
    for (let y = 0; y < height * SCALE; y++) {
      for (let x = 0; x < width * SCALE; x++) {
        const from = (Math.floor(y / SCALE) * width + Math.floor(x / SCALE)) * 4;
        picture.data.set(strip.data.subarray(from, from + 3), ((top + y) * picture.width + left + x) * 4);
      }
    }
    const labelTop = top + Math.floor((height * SCALE - GLYPH_HEIGHT * 2) / 2);
    drawText(rows[row].label, (dotX, dotY) => {
      for (const [dx, dy] of [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
      ]) {
        const at = ((labelTop + dotY * 2 + dy) * picture.width + MARGIN + dotX * 2 + dx) * 4;
        picture.data.fill(0, at, at + 3);
      }
    });
  }
  return PNG.sync.write(picture, { colorType: 2, inputColorType: 6, inputHasAlpha: true });
}
