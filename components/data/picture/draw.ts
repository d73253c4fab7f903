import { fixed5x8 } from '../../lettering/fonts.ts';
import { drawLetters, openFont } from '../../lettering/letters.ts';
import { noClass } from '../targets.ts';
import type { Canvas, Colour } from './canvas.ts';

const font = openFont(fixed5x8);

/**
 * The colour of a class: entry class + 1 of PASCAL VOC's colour map, whose entry 0, black, is no class. Bits 0, 3, 6 of a
 * number become the highest of red, bits 1, 4, 7 of green, 2, 5, 8 of blue, so that neighbours look different.
 */
export function colourOf(place: number): Colour {
  const colour: [number, number, number] = [0, 0, 0];
  for (let bits = place + 1, shift = 7; bits > 0 && shift >= 0; bits >>= 3, shift--) {
    for (const channel of [0, 1, 2] as const) colour[channel] |= ((bits >> channel) & 1) << shift;
  }
  return colour;
}

/** Colours pixels of a picture by their class; those of no class stay. `opacity` 1 hides the picture. */
export function overlayLabels(canvas: Canvas, labels: ArrayLike<number>, opacity = 0.6): void {
  for (let pixel = 0; pixel < canvas.height * canvas.width; pixel++) {
    const label = labels[pixel]!;
    if (label !== noClass) mixIn(canvas, pixel, colourOf(label), opacity);
  }
}

/** Colours the pixels of a mask [height, width], those that aren't 0. */
export function overlayMask(canvas: Canvas, mask: ArrayLike<number>, colour: Colour, opacity = 0.5): void {
  for (let pixel = 0; pixel < canvas.height * canvas.width; pixel++) {
    if (mask[pixel] !== 0) mixIn(canvas, pixel, colour, opacity);
  }
}

/** Outlines a box, in pixels, one pixel wide; what lies beyond the edges is left out. */
export function outlineBox(
  canvas: Canvas,
  [x0, y0, x1, y1]: readonly [x0: number, y0: number, x1: number, y1: number],
  colour: Colour,
): void {
  const [left, top] = [Math.round(x0), Math.round(y0)];
  const [right, bottom] = [Math.max(left, Math.round(x1) - 1), Math.max(top, Math.round(y1) - 1)];
  for (let x = left; x <= right; x++) {
    dot(canvas, x, top, colour);
    dot(canvas, x, bottom, colour);
  }
  for (let y = top; y <= bottom; y++) {
    dot(canvas, left, y, colour);
    dot(canvas, right, y, colour);
  }
}

/** Height of a line of text. */
export const lineHeight = font.height + 1;

/** Writes a line of text, 8 pixels high, on a ground of the colour: further left where there is no room for it, and what has none even then is left out. */
export function writeText(
  canvas: Canvas,
  text: string,
  { left, top, ground }: { readonly left: number; readonly top: number; readonly ground: Colour },
): void {
  const isDark = 0.3 * ground[0] + 0.59 * ground[1] + 0.11 * ground[2] < 128;
  const ink: Colour = isDark ? [255, 255, 255] : [0, 0, 0];
  const shown = font.lettersOf(text).slice(0, Math.max(0, Math.floor((canvas.width - 1) / font.width)));
  const start = Math.max(0, Math.min(left, canvas.width - shown.length * font.width - 1));
  for (let y = 0; y < lineHeight; y++) {
    for (let x = 0; x < shown.length * font.width + 1; x++) dot(canvas, start + x, top + y, ground);
  }
  drawLetters(shown, font, (x, y) => dot(canvas, start + 1 + x, top + y, ink));
}

function dot(canvas: Canvas, x: number, y: number, colour: Colour): void {
  if (x < 0 || y < 0 || x >= canvas.width || y >= canvas.height) return;
  canvas.bytes.set(colour, (y * canvas.width + x) * 3);
}

function mixIn({ bytes }: Canvas, pixel: number, colour: Colour, opacity: number): void {
  for (const channel of [0, 1, 2] as const) {
    const at = 3 * pixel + channel;
    bytes[at] = Math.round((1 - opacity) * bytes[at]! + opacity * colour[channel]);
  }
}
