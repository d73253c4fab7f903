/** Where COCO measures (`Params.setDetParams` of pycocotools); numbers are computed as numpy computes them. */

/** Overlaps from which a detection is right: 0.5, 0.55 to 0.95. */
export const overlapThresholds = linspace(0.5, 0.95, 10);
/** Recalls at which precision is read: 0, 0.01 to 1. */
export const recallThresholds = linspace(0, 1, 101);

/** Areas in square pixels, both ends included. */
export const areaRanges = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const;

export const areaNames = Object.keys(areaRanges) as readonly (keyof typeof areaRanges)[];

/** Detections of a class in an image that count, the best ones. */
export const detectionLimits = [1, 10, 100] as const;
export const mostDetections = 100;

/** As numpy's: the last number is the end, the others are multiples of a rounded step. */
function linspace(from: number, to: number, count: number): readonly number[] {
  const step = (to - from) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? to : i * step + from));
}
