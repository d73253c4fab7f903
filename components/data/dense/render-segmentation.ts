import { StageError } from '../../../framework/stage/stage-error.ts';
import { type Random, random } from '../../nn/random.ts';
import type { Labels } from '../decode/label-map.ts';
import { noClass } from '../targets.ts';
import type { Pixels } from '../types.ts';
import type { Chance } from '../views/chance.ts';
import { Workspace } from '../views/simd/kernels.ts';
import { Source } from '../views/simd/source.ts';
import { drawWindow } from './crop.ts';
import { type Change, distort, drawDistortion } from './distortion.ts';
import { type Edges, type Geometry, type Size, sizeByEdges } from './geometry.ts';
import { fillNearest, nearestPlaces } from './nearest.ts';
import { onCanvas, windowOf } from './picture.ts';
import type { SegmentationView, StillSegmentationView } from './segmentation-view.ts';

/** A training's view with everything settled, as it travels to a worker. */
export interface SegmentationSight
  extends Pick<
    SegmentationView,
    'scale' | 'maxClassShare' | 'flip' | 'distortion' | 'fill' | 'interpolation'
  > {
  readonly size: number;
  readonly edges: Edges;
}

/** A picture and its labels. */
export interface SegmentedPicture {
  /** [size, size, 3] */
  readonly image: Uint8Array;
  /** [size, size]: classes, or 255 (`noClass`). */
  readonly labels: Uint8Array;
}

/**
 * What a training sees of an image and its label map: a pure function of their pixels, the view and the chance.
 *
 * @throws StageError if the label map has another size than the image
 */
export function renderSegmentation(
  image: Pixels,
  target: Labels,
  sight: SegmentationSight,
  chance: Chance,
): SegmentedPicture {
  checkSize(image, target);
  const { size, fill } = sight;
  const geometry = drawGeometry(target, sight, chance);
  const { window } = geometry;
  const changes = drawChanges(sight, chance);
  const seen = Workspace.use((space) =>
    distort(space, windowOf(Source.of(space, image), geometry, sight.interpolation), changes),
  );
  const labels = new Uint8Array(size * size);
  if (window.height < size || window.width < size) labels.fill(noClass);
  fillNearest(target.labels, target.width, nearestPlaces(geometry), labels, size);
  return { image: onCanvas(seen, window, size, fill), labels };
}

function checkSize({ height, width }: Size, target: Size): void {
  if (height === target.height && width === target.width) return;
  throw new StageError(
    `has ${width} x ${height} pixels, but its label map has ${target.width} x ${target.height}`,
    { hint: 'each pixel has a label: replace the label map, or remove both' },
  );
}

/** Size, flip and window of an image in an epoch. */
function drawGeometry(target: Labels, sight: SegmentationSight, [seed, ...which]: Chance): Geometry {
  const drawn: Random = random(seed, 'segmentation', ...which);
  const { height, width } = target;
  // Always drawn, so that crops don't depend on whether there are flips.
  const mirrored = drawn.uniform() < sight.flip;
  const [least, most] = sight.scale;
  const factor = least + (most - least) * drawn.uniform();
  const resized = sizeByEdges(target, sight.edges, factor);
  const window = drawWindow(target, resized, sight, drawn);
  return { source: { height, width }, resized, window, mirrored };
}

function drawChanges({ distortion }: SegmentationSight, [seed, ...which]: Chance): Change[] {
  return distortion === 'none' ? [] : drawDistortion(distortion, random(seed, 'distortion', ...which));
}

/** A whole picture of a test, of its own size. */
export interface WholePicture extends Size {
  /** [height, width, 3] */
  readonly pixels: Uint8Array;
}

/** A test's view with everything settled. */
export interface WholeSight extends Pick<StillSegmentationView, 'scales' | 'interpolation'> {
  readonly edges: Edges;
}

/** An image as a test of segmentation sees it: one picture for each scale. The label map stays as it is. */
export function renderWhole(image: Pixels, target: Labels, sight: WholeSight): WholePicture[] {
  checkSize(image, target);
  const { height, width } = image;
  return Workspace.use((space) => {
    const source = Source.of(space, image);
    return sight.scales.map((scale) => {
      const resized = sizeByEdges(image, sight.edges, scale);
      const window = { top: 0, left: 0, ...resized };
      const geometry = { source: { height, width }, resized, window, mirrored: false };
      return { ...resized, pixels: windowOf(source, geometry, sight.interpolation) };
    });
  });
}
