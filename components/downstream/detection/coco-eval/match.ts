import { areaNames, areaRanges, overlapThresholds } from './ranges.ts';

/** The true objects of one class in one image. */
export interface Truths {
  /** As annotated, in square pixels. */
  readonly areas: readonly number[];
  /** Groups that aren't taken apart. */
  readonly isCrowd: readonly boolean[];
}

/** What became of the detections of one class in one image, in each range of areas. */
export interface Matches {
  /**
   * int32 [areas, detections]: bit t says that the detection has found an object at overlap threshold t, bit 16 + t that it
   * counts neither as right nor as wrong there.
   */
  readonly verdicts: Int32Array;
  /** True objects that are to be found, in each range. */
  readonly counted: readonly number[];
}

/** Bits of `verdicts` that say what doesn't count. */
export const ignoredBits = 16;

/**
 * Gives each detection, the best first, the object that it overlaps most and that isn't taken, at each threshold
 * (`evaluateImg` of pycocotools). Crowds and objects of other areas needn't be found; what is found of them doesn't count,
 * nor does a detection of another area that has found nothing. Only crowds can be found more than once.
 *
 * One thing is other than in pycocotools: there, an annotation whose number is 0 counts as not found.
 *
 * @param areas of the detections, the best first
 * @param overlaps [detections, truths], row by row
 */
export function match(areas: readonly number[], truths: Truths, overlaps: Float64Array): Matches {
  const verdicts = new Int32Array(areaNames.length * areas.length);
  const counted = areaNames.map((name, range) => {
    const [least, most] = areaRanges[name];
    const isOutside = (area: number): boolean => area < least || area > most;
    const isIgnored = truths.areas.map((area, truth) => (truths.isCrowd[truth] ?? false) || isOutside(area));
    const own = verdicts.subarray(range * areas.length, (range + 1) * areas.length);
    matchRange(own, { isIgnored, isCrowd: truths.isCrowd, overlaps });
    const all = (1 << overlapThresholds.length) - 1;
    for (const [detection, area] of areas.entries())
      if (isOutside(area)) own[detection] |= (~own[detection] & all) << ignoredBits;
    return isIgnored.filter((ignored) => !ignored).length;
  });
  return { verdicts, counted };
}

interface Range {
  readonly isIgnored: readonly boolean[];
  readonly isCrowd: readonly boolean[];
  readonly overlaps: Float64Array;
}

function matchRange(verdicts: Int32Array, { isIgnored, isCrowd, overlaps }: Range): void {
  const count = isIgnored.length;
  if (count === 0) return;
  // Those that count come first, otherwise in their order.
  const order = [...isIgnored.keys()].sort((a, b) => Number(isIgnored[a]) - Number(isIgnored[b]));
  const isTaken = new Uint8Array(count);
  for (const [t, threshold] of overlapThresholds.entries()) {
    isTaken.fill(0);
    for (let detection = 0; detection < verdicts.length; detection++) {
      let best = -1;
      let most = Math.min(threshold, 1 - 1e-10);
      for (const truth of order) {
        if (isTaken[truth] === 1 && !isCrowd[truth]) continue;
        if (best >= 0 && !isIgnored[best] && isIgnored[truth]) break;
        const overlap = overlaps[detection * count + truth];
        if (overlap < most) continue;
        most = overlap;
        best = truth;
      }
      if (best < 0) continue;
      isTaken[best] = 1;
      verdicts[detection] |= (1 << t) | (isIgnored[best] ? 1 << (ignoredBits + t) : 0);
    }
  }
}
