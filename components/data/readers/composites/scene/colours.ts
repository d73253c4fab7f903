import type { Random } from '../../../../nn/random.ts';
import type { Ramp } from './paint.ts';

export type Colour = readonly [red: number, green: number, blue: number];

/** Colours of a scene: background, clutter and objects all take theirs from it, so that no colour tells them apart. */
export type Palette = readonly Colour[];

const paletteSize = 5;
/** How far a colour is from that of the palette, in 255ths. */
const reach = 22;
/** Dark and bright of an object differ by at least so much in brightness: otherwise nothing of it could be seen. */
const leastContrast = 70;

export function drawPalette(draw: Random): Palette {
  return Array.from({ length: paletteSize }, () =>
    colourOf(draw.uniform(), 0.1 + 0.75 * draw.uniform(), 0.15 + 0.85 * draw.uniform()),
  );
}

/**
 * Two colours of a palette for the greys of a thing. Without `contrast` one thing in four has them the other way round, as
 * a negative; with a contrast of 1 none has.
 */
export function drawRamp(palette: Palette, contrast: number, draw: Random): Ramp {
  const first = near(palette[draw.int(palette.length)]!, draw);
  const second = near(palette[draw.int(palette.length)]!, draw);
  const [low, high] = brightness(first) < brightness(second) ? [first, second] : [second, first];
  const missing = leastContrast - (brightness(high) - brightness(low));
  const [dark, bright] = missing > 0 ? [shifted(low, -missing), shifted(high, missing / 2)] : [low, high];
  return draw.uniform() < 0.25 * (1 - contrast) ? { dark: bright, bright: dark } : { dark, bright };
}

/** Two colours of a palette for a texture, however near they are; darker with more `contrast` to things. */
export function drawPair(palette: Palette, contrast: number, draw: Random): readonly [Colour, Colour] {
  const level = 1 - 0.75 * contrast;
  const dimmed = ([red, green, blue]: Colour): Colour => [level * red, level * green, level * blue];
  const [one, other] = [draw.int(palette.length), draw.int(palette.length)];
  return [dimmed(near(palette[one]!, draw)), dimmed(near(palette[other]!, draw))];
}

function near(colour: Colour, draw: Random): Colour {
  const moved = () => reach * (2 * draw.uniform() - 1);
  return [clip(colour[0] + moved()), clip(colour[1] + moved()), clip(colour[2] + moved())];
}

function shifted([red, green, blue]: Colour, by: number): Colour {
  return [clip(red + by), clip(green + by), clip(blue + by)];
}

function clip(value: number): number {
  return Math.min(255, Math.max(0, value));
}

/** Luma of ITU-R BT.601. */
function brightness([red, green, blue]: Colour): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/** Of hue, saturation and value in [0, 1]. */
function colourOf(hue: number, saturation: number, value: number): Colour {
  const channel = (shift: number): number => {
    const k = (shift + hue * 6) % 6;
    return 255 * value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}
