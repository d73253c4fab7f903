import { random } from '../../nn/random.ts';
import type { Pixels, Window } from '../types.ts';
import { mirror, shift } from './augment.ts';
import { type Drawn, drawView, placeView } from './draw.ts';
import { resample } from './resample.ts';
import type { Crop, Interpolation } from './view.ts';

type Size = Pick<Window, 'height' | 'width'>;

/** A view with everything settled, as it travels to a worker. */
export interface Sight {
  readonly crop: Crop;
  readonly flip: number;
  readonly pictures: readonly { readonly size: number; readonly interpolation: Interpolation }[];
}

/** Names the stream that an image's crop and flip are drawn from. Absent: nothing is left to chance. */
export type Chance = readonly [seed: number, purpose: string, epoch: number, index: number];

/** The pictures of an image, RGB bytes `[size, size, 3]` each: a pure function of its pixels, the view and the chance. */
export function renderPictures(
  source: Pixels,
  { crop, flip, pictures }: Sight,
  chance?: Chance,
): Uint8Array[] {
  const drawn = chance
    ? drawView({ crop, flip }, source, random(chance[0], 'view', ...chance.slice(1)))
    : still;
  return pictures.map(({ size, interpolation }) => {
    const { part, resized, window } = placeView(crop, drawn, source, size);
    const { bytes, channels } = isAsItIs(part, resized)
      ? cut(source, { ...window, top: part.top + window.top, left: part.left + window.left })
      : resample(source, part, resized, window, interpolation);
    const moved = drawn.shift ? shift(bytes, size, drawn.shift, channels) : bytes;
    const colours = channels === 3 ? moved : threeTimes(moved);
    if (drawn.flip) mirror(colours, size);
    return colours;
  });
}

const still: Drawn = { flip: false };

/** Whether an image of this form becomes such pictures without a pixel between pixels. */
export function isUntouched(
  { height, width }: Pick<Pixels, 'height' | 'width'>,
  { crop, pictures }: Sight,
): boolean {
  if (crop.kind === 'random-resized') return false;
  return pictures.every(({ size }) => {
    const { part, resized } = placeView(crop, still, { height, width }, size);
    return isAsItIs(part, resized);
  });
}

function isAsItIs(part: Size, resized: Size): boolean {
  return part.height === resized.height && part.width === resized.width;
}

/** A copy of a part. */
function cut({ bytes, width, channels }: Pixels, part: Window): Pixels {
  const row = part.width * channels;
  const out = new Uint8Array(part.height * row);
  for (let y = 0; y < part.height; y++) {
    const from = ((part.top + y) * width + part.left) * channels;
    out.set(bytes.subarray(from, from + row), y * row);
  }
  return { bytes: out, height: part.height, width: part.width, channels };
}

/** Grey to three equal channels. */
function threeTimes(grey: Uint8Array): Uint8Array {
  const colours = new Uint8Array(3 * grey.length);
  for (let pixel = 0, to = 0; pixel < grey.length; pixel++) {
    colours[to++] = grey[pixel];
    colours[to++] = grey[pixel];
    colours[to++] = grey[pixel];
  }
  return colours;
}
