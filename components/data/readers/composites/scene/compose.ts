import { type Random, random } from '../../../../nn/random.ts';
import type { CompositesSplit } from '../items.ts';
import { type Colour, drawPair, drawPalette, drawRamp, type Palette } from './colours.ts';
import type { Layout } from './layout.ts';
import { drawLight, photograph } from './light.ts';
import { paint } from './paint.ts';
import { drawTexture, type Part } from './textures.ts';

/** A photograph that is the background, `[size, size, 3]`. */
export type Photograph = Uint8Array;

/** Other textures that lie on the background, at most. */
const mostPatches = 3;

export interface Look {
  readonly split: CompositesSplit;
  readonly size: number;
  /** How much things stand out, in [0, 1]. */
  readonly contrast: number;
  readonly seed: number;
  /** The beginning of the path of its random numbers. */
  readonly stream: readonly (string | number)[];
  /** Absent: textures. */
  readonly photograph?: Photograph;
}

/** The pixels of a scene, `[size, size, 3]`. What they look like depends on no class. */
export function compose({ things }: Layout, look: Look): Uint8Array {
  const { size, seed, stream } = look;
  const draw = random(seed, ...stream, 'look');
  const palette = drawPalette(draw);
  const colours = look.photograph ? Float32Array.from(look.photograph) : textured(look, palette, draw);
  for (const thing of things) paint(thing, { size, colours, ramp: drawRamp(palette, look.contrast, draw) });
  return photograph(colours, size, drawLight(draw));
}

/** A texture, and on it patches of others whose outlines are straight or round. */
function textured({ split, size, contrast }: Look, palette: Palette, draw: Random): Float32Array {
  const colours = new Float32Array(size * size * 3);
  const texture = new Float32Array(size * size);
  const whole: Region = { left: 0, top: 0, right: size, bottom: size };
  const regions = [whole, ...Array.from({ length: draw.int(mostPatches + 1) }, () => drawRegion(size, draw))];
  for (const region of regions) {
    drawTexture(split, size, draw, texture, region);
    lay(colours, texture, drawPair(palette, contrast, draw), region, size);
  }
  return colours;
}

/** Where a texture lies. */
interface Region extends Part {
  /** Absent: all of the part. */
  readonly outline?: Outline;
}

/** A turned rectangle or ellipse: along its first axis it is `length` to either side, along the second `width`. */
interface Outline {
  readonly round: boolean;
  readonly x: number;
  readonly y: number;
  readonly cos: number;
  readonly sin: number;
  readonly length: number;
  readonly width: number;
}

function lay(
  colours: Float32Array,
  texture: Float32Array,
  [from, to]: readonly [Colour, Colour],
  { left, top, right, bottom, outline }: Region,
  size: number,
): void {
  const [r0, g0, b0] = from;
  const [dr, dg, db] = [to[0] - r0, to[1] - g0, to[2] - b0];
  for (let y = top; y < bottom; y++) {
    let at = y * size + left;
    for (let x = left; x < right; x++, at++) {
      if (outline && !isInside(outline, x, y)) continue;
      const share = texture[at]!;
      colours[at * 3] = r0 + dr * share;
      colours[at * 3 + 1] = g0 + dg * share;
      colours[at * 3 + 2] = b0 + db * share;
    }
  }
}

function isInside({ round, x, y, cos, sin, length, width }: Outline, column: number, row: number): boolean {
  const u = ((column - x) * cos + (row - y) * sin) / length;
  const v = ((row - y) * cos - (column - x) * sin) / width;
  return round ? u * u + v * v < 1 : u < 1 && u > -1 && v < 1 && v > -1;
}

function drawRegion(size: number, draw: Random): Region {
  const angle = Math.PI * draw.uniform();
  const [x, y] = [size * draw.uniform(), size * draw.uniform()];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const length = size * (0.15 + 0.45 * draw.uniform());
  const width = size * (0.02 + 0.25 * draw.uniform());
  const across = Math.abs(cos) * length + Math.abs(sin) * width;
  const along = Math.abs(sin) * length + Math.abs(cos) * width;
  return {
    left: Math.max(0, Math.floor(x - across)),
    right: Math.min(size, Math.ceil(x + across) + 1),
    top: Math.max(0, Math.floor(y - along)),
    bottom: Math.min(size, Math.ceil(y + along) + 1),
    outline: { round: draw.uniform() < 0.5, x, y, cos, sin, length, width },
  };
}
