import { StageError } from '../../../framework/stage/stage-error.ts';
import { random } from '../../nn/random.ts';
import type { Pixels, Window } from '../types.ts';
import { shift } from './augment.ts';
import type { Chance } from './chance.ts';
import { cut } from './cut.ts';
import { type Drawn, drawView, placeView } from './draw.ts';
import { drawJitter, jitterIn } from './jitter.ts';
import type { Jitter } from './jitter-config.ts';
import { changePicture, type PictureChanges } from './picture-changes.ts';
import { resample } from './resample.ts';
import { Workspace } from './simd/kernels.ts';
import { Source } from './simd/source.ts';
import type { Crop, Interpolation } from './view.ts';

type Size = Pick<Window, 'height' | 'width'>;

/** A view with everything settled, as it travels to a worker. */
export interface Sight extends PictureChanges {
  readonly crop: Crop;
  readonly flip: number;
  readonly jitter?: Jitter;
  readonly pictures: readonly { readonly size: number; readonly interpolation: Interpolation }[];
  /** Height and width that the data says all images have; absent: it says nothing. */
  readonly imageSize?: number;
}

/** A square picture. Whether it is mirrored is left to `fillPicture`, and so is making three channels of grey. */
export interface Rendered {
  /** `[size, size, channels]` */
  readonly bytes: Uint8Array;
  readonly channels: 1 | 3;
  readonly mirrored: boolean;
}

/**
 * The pictures of an image: a pure function of its pixels, the view and the chance.
 *
 * @throws StageError if the image isn't of the size that the data says
 */
export function renderPictures(image: Pixels, sight: Sight, chance?: Chance): Rendered[] {
  const { crop, pictures, imageSize } = sight;
  const { height, width } = image;
  if (imageSize !== undefined && (height !== imageSize || width !== imageSize))
    throw new StageError(
      `has ${width} x ${height} pixels, but its data set says ${imageSize} x ${imageSize}`,
      {
        hint: 'leave `imageSize` out where images differ in size, and give views a `size`',
      },
    );
  const seen = Workspace.use((space) => {
    const whole = Source.of(space, image);
    const { source, drawn } = chance ? look(whole, sight, chance) : { source: whole, drawn: still };
    return pictures.map((picture) => show(source, drawn, crop, picture));
  });
  if (!chance || (!sight.randAugment && !sight.erasing)) return seen;
  return seen.map((picture, n) => augment(picture, pictures[n]!.size, sight, chance));
}

/** One picture of what was drawn. */
function show(
  source: Source,
  drawn: Drawn,
  crop: Crop,
  { size, interpolation }: Sight['pictures'][number],
): Rendered {
  const { part, resized, window } = placeView(crop, drawn, source, size);
  const isResized = !isAsItIs(part, resized);
  // Resizing mirrors at no cost; what is shifted is mirrored afterwards.
  const mirrors = isResized && drawn.flip && !drawn.shift;
  const { bytes, channels } = isResized
    ? resample(source, part, resized, window, interpolation, mirrors)
    : asItIs(source.pixels, { ...window, top: part.top + window.top, left: part.left + window.left });
  const moved = drawn.shift ? shift(bytes, size, drawn.shift, channels) : bytes;
  return { bytes: moved, channels, mirrored: drawn.flip && !mirrors };
}

/** Writes a picture as `[size, size, 3]` to `values` from `start` on. */
export function fillPicture(
  values: Uint8Array,
  start: number,
  { bytes, channels, mirrored }: Rendered,
  size: number,
): void {
  if (channels === 3 && !mirrored) {
    values.set(bytes, start);
    return;
  }
  const step = mirrored ? -channels : channels;
  const [green, blue] = channels === 3 ? [1, 2] : [0, 0];
  let to = start;
  for (let y = 0; y < size; y++) {
    let from = (mirrored ? (y + 1) * size - 1 : y * size) * channels;
    for (let x = 0; x < size; x++, from += step) {
      values[to++] = bytes[from];
      values[to++] = bytes[from + green];
      values[to++] = bytes[from + blue];
    }
  }
}

/** A picture as it is seen, changed. */
function augment(seen: Rendered, size: number, sight: PictureChanges, chance: Chance): Rendered {
  const bytes = new Uint8Array(size * size * 3);
  fillPicture(bytes, 0, seen, size);
  const picture = changePicture({ bytes, height: size, width: size, channels: 3 }, sight, chance);
  return { bytes: picture.bytes, channels: 3, mirrored: false };
}

const still: Drawn = { flip: false };

/** What chance says of an image; where it changes the colours, of those pixels that are to be seen. */
function look(image: Source, { crop, flip, jitter }: Sight, [seed, ...which]: Chance) {
  const drawn = drawView({ crop, flip }, image, random(seed, 'view', ...which));
  if (!jitter) return { source: image, drawn };
  const { height, width } = image;
  const part = drawn.part ?? { top: 0, left: 0, height, width };
  const source = jitterIn(image, part, drawJitter(jitter, random(seed, 'jitter', ...which)));
  return { source, drawn: drawn.part ? { ...drawn, part: { ...part, top: 0, left: 0 } } : drawn };
}

/** Whether an image of this form becomes such pictures without a pixel between pixels. */
export function isUntouched(
  { height, width }: Pick<Pixels, 'height' | 'width'>,
  { crop, jitter, randAugment, erasing, pictures }: Sight,
): boolean {
  if (crop.kind === 'random-resized' || jitter || randAugment || erasing) return false;
  return pictures.every(({ size }) => {
    const { part, resized } = placeView(crop, still, { height, width }, size);
    return isAsItIs(part, resized);
  });
}

function isAsItIs(part: Size, resized: Size): boolean {
  return part.height === resized.height && part.width === resized.width;
}

/** A part without a copy where it is all. */
function asItIs(source: Pixels, part: Window): Pixels {
  return part.height === source.height && part.width === source.width ? source : cut(source, part);
}
