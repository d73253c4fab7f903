import { StageError } from '../../../framework/stage/stage-error.ts';
import { type Random, random } from '../../nn/random.ts';
import type { ImageInstances } from '../targets.ts';
import type { Pixels } from '../types.ts';
import type { Chance } from '../views/chance.ts';
import { Workspace } from '../views/simd/kernels.ts';
import { Source } from '../views/simd/source.ts';
import type { DetectionView } from './detection-view.ts';
import { type Geometry, roundToEven, type Size, sizeByEdges, sizeInSquare } from './geometry.ts';
import { type SeenInstances, seeInstances } from './instances.ts';
import { onCanvas, windowOf } from './picture.ts';

/** What a picture on a canvas needs to know. */
export interface CanvasSight extends Pick<DetectionView, 'fill' | 'interpolation'> {
  readonly size: number;
  /** One of these becomes the length of the shorter edge, the longer one has at most `longer`; or the range of the jitter. */
  readonly resize:
    | { readonly shorter: readonly number[]; readonly longer: number }
    | { readonly jitter: readonly [number, number] };
}

/** A training's view with everything settled, as it travels to a worker. */
export interface DetectionSight
  extends CanvasSight,
    Pick<DetectionView, 'flip' | 'maxInstances' | 'maskStride'> {}

/** A picture in the top left corner of a canvas. */
export interface CanvasPicture extends Size {
  /** [size, size, 3] */
  readonly image: Uint8Array;
}

/** A picture with its objects. */
export interface DetectedPicture extends CanvasPicture, SeenInstances {}

/**
 * What a training sees of an image and its objects: a pure function of its pixels, the objects, the view and the chance.
 *
 * @throws StageError if the image hasn't the size that the objects go by, or an object has no mask
 */
export function renderDetection(
  image: Pixels,
  target: ImageInstances,
  sight: DetectionSight,
  chance: Chance,
): DetectedPicture {
  checkSize(image, target);
  const [seed, ...which] = chance;
  const geometry = drawGeometry(image, sight, random(seed, 'detection', ...which));
  return { ...render(image, geometry, sight), ...seeInstances(target.instances, geometry, sight) };
}

/** The same of a test: nothing is drawn, and objects stay where they are. */
export function renderCanvas(image: Pixels, target: Size, sight: CanvasSight): CanvasPicture {
  checkSize(image, target);
  return render(image, still(image, sight), sight);
}

function render(
  image: Pixels,
  geometry: Geometry,
  { size, fill, interpolation }: CanvasSight,
): CanvasPicture {
  const { window } = geometry;
  const seen = Workspace.use((space) => windowOf(Source.of(space, image), geometry, interpolation));
  const { height, width } = window;
  return { image: onCanvas(seen, window, size, fill), height, width };
}

function checkSize({ height, width }: Size, target: Size): void {
  if (height === target.height && width === target.width) return;
  throw new StageError(
    `has ${width} x ${height} pixels, but its annotations say ${target.width} x ${target.height}`,
    { hint: 'boxes and masks are in pixels of the image: annotations must be of this very file' },
  );
}

/** Size, window and flip of an image in an epoch. */
function drawGeometry({ height, width }: Size, sight: DetectionSight, drawn: Random): Geometry {
  const { size, resize } = sight;
  const source = { height, width };
  // Always drawn, so that sizes don't depend on whether there are flips.
  const mirrored = drawn.uniform() < sight.flip;
  if ('shorter' in resize) {
    const { shorter, longer } = resize;
    const resized = sizeByEdges(source, { shorter: shorter[drawn.int(shorter.length)]!, longer });
    return { source, resized, window: { top: 0, left: 0, ...resized }, mirrored };
  }
  const [least, most] = resize.jitter;
  const resized = sizeInSquare(source, size * (least + (most - least) * drawn.uniform()));
  const offset = (length: number) => roundToEven(Math.max(0, length - size) * drawn.uniform());
  const window = {
    ...{ top: offset(resized.height), left: offset(resized.width) },
    ...{ height: Math.min(size, resized.height), width: Math.min(size, resized.width) },
  };
  return { source, resized, window, mirrored };
}

function still({ height, width }: Size, { size, resize }: CanvasSight): Geometry {
  const source = { height, width };
  const resized =
    'shorter' in resize
      ? sizeByEdges(source, { shorter: resize.shorter[0]!, longer: resize.longer })
      : sizeInSquare(source, size);
  return { source, resized, window: { top: 0, left: 0, ...resized }, mirrored: false };
}
