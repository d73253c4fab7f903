/** How tfjs maps output pixels of a resized image to input pixels, along one axis. */

export interface ResizeRule {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** Length of the input that one output pixel stands for. */
function scaleOf(from: number, to: number, alignCorners: boolean): number {
  const corners = alignCorners && to > 1;
  return (corners ? from - 1 : from) / (corners ? to - 1 : to);
}

/** Which input pixel each output pixel copies. */
export function nearestSources(
  from: number,
  to: number,
  { alignCorners, halfPixelCenters }: ResizeRule,
): number[] {
  const scale = scaleOf(from, to, alignCorners);
  return Array.from({ length: to }, (_, index) => {
    const at = halfPixelCenters ? scale * (index + 0.5) : scale * index;
    const source = alignCorners ? Math.round(at) : Math.floor(at);
    return Math.max(0, Math.min(from - 1, source));
  });
}

/** If every input pixel becomes a run of equally many output pixels: how many. Then copying needs no index. */
export function wholeFactor(from: number, to: number, rule: ResizeRule): number | undefined {
  const factor = to / from;
  const whole =
    Number.isInteger(factor) &&
    nearestSources(from, to, rule).every((source, index) => source === Math.floor(index / factor));
  return whole ? factor : undefined;
}

/** Copying as a matrix [to, from] of zeros and ones. */
export function nearestMatrix(from: number, to: number, rule: ResizeRule): Float32Array {
  const matrix = new Float32Array(to * from);
  nearestSources(from, to, rule).forEach((source, index) => {
    matrix[index * from + source] = 1;
  });
  return matrix;
}

/** Linear interpolation as a matrix [to, from]. */
export function bilinearMatrix(
  from: number,
  to: number,
  { alignCorners, halfPixelCenters }: ResizeRule,
): Float32Array {
  const scale = scaleOf(from, to, alignCorners);
  const matrix = new Float32Array(to * from);
  for (let index = 0; index < to; index++) {
    const at = halfPixelCenters ? scale * (index + 0.5) - 0.5 : scale * index;
    const low = Math.max(0, Math.floor(at));
    const high = Math.min(from - 1, Math.ceil(at));
    const share = at - low;
    matrix[index * from + low] += 1 - share;
    matrix[index * from + high] += share;
  }
  return matrix;
}
