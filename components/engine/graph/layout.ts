/**
 * Transposes are moved towards the outputs of the graph as it is recorded: `f(transpose(x))` becomes
 * `transpose(f(x))` wherever `f` allows. So the transposes between a convolution (NCHW in ONNX, NHWC in tfjs)
 * and the next one meet and cancel, and everything between the two works in the convolution's own layout.
 */

/** `shape` with its axes in the order of `perm`, as ONNX's Transpose does. */
export function permuted<T>(items: readonly T[], perm: readonly number[]): T[] {
  return perm.map((axis) => items[axis]!);
}

/** The permutation that undoes `perm`. */
export function inverse(perm: readonly number[]): number[] {
  const undo = new Array<number>(perm.length);
  perm.forEach((from, to) => {
    undo[from] = to;
  });
  return undo;
}

/** One permutation that is the same as `first` and then `second`. */
export function composed(first: readonly number[], second: readonly number[]): number[] {
  return permuted(first, second);
}

/** Does a transpose leave the order of elements in memory as it is? Axes of length 1 may go anywhere. */
export function keepsOrder(shape: readonly number[], perm: readonly number[]): boolean {
  const moved = perm.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, index) => index === 0 || moved[index - 1]! < axis);
}

/** A reshape that is done before a transpose instead of after it. */
export interface EarlierReshape {
  readonly shape: readonly number[];
  readonly perm: readonly number[];
}

/**
 * `reshape(transpose(x, perm), target)` as `transpose(reshape(x, shape), perm')`; undefined where the reshape merges
 * axes that are no neighbours in `x`.
 */
export function reshapeFirst(
  source: readonly number[],
  perm: readonly number[],
  target: readonly number[],
): EarlierReshape | undefined {
  const from = perm.filter((axis) => source[axis] !== 1);
  const to = target.flatMap((length, axis) => (length === 1 ? [] : [axis]));
  const groups = matchGroups(
    from.map((axis) => source[axis]!),
    to.map((axis) => target[axis]!),
  );
  if (!groups) return undefined;
  const order = [...from].sort((a, b) => a - b);
  const blocks = groups.map(({ left, right }) => ({
    axes: from.slice(left[0], left[1]).map((axis) => order.indexOf(axis)),
    targets: to.slice(right[0], right[1]),
  }));
  if (blocks.some(({ axes }) => axes.some((axis, index) => index > 0 && axes[index - 1]! + 1 !== axis))) {
    return undefined;
  }
  const ones = target.flatMap((length, axis) => (length === 1 ? [axis] : []));
  const laidOut = [...blocks].sort((a, b) => a.axes[0]! - b.axes[0]!).flatMap(({ targets }) => targets);
  const all = [...laidOut, ...ones];
  return { shape: permuted(target, all), perm: inverse(all) };
}

interface Group {
  readonly left: readonly [number, number];
  readonly right: readonly [number, number];
}

/** The shortest runs of `left` and `right` with equal products: which axes a reshape splits and merges. */
function matchGroups(left: readonly number[], right: readonly number[]): Group[] | undefined {
  const groups: Group[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    const start: [number, number] = [i, j];
    let a = left[i++]!;
    let b = right[j++]!;
    while (a !== b) {
      if (a < b && i < left.length) a *= left[i++]!;
      else if (b < a && j < right.length) b *= right[j++]!;
      else return undefined;
    }
    groups.push({ left: [start[0], i], right: [start[1], j] });
  }
  return i === left.length && j === right.length ? groups : undefined;
}
