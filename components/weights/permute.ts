import type { HostTensor } from '../engine/types.ts';

/**
 * A copy with its axes in another order, as numpy's `transpose(axes)`: axis i of the result is axis `axes[i]` of the tensor.
 *
 * @throws RangeError if `axes` isn't a permutation of the tensor's axes
 */
export function permute(tensor: HostTensor, axes: readonly number[]): HostTensor {
  const { dtype, shape, data } = tensor;
  const isPermutation = axes.length === shape.length && shape.every((_, axis) => axes.includes(axis));
  if (!isPermutation)
    throw new RangeError(`axes [${axes.join(', ')}] of a tensor of shape [${shape.join(', ')}]`);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, one) => size * one, 1));
  const to = axes.map((axis) => shape[axis]!);
  const steps = axes.map((axis) => strides[axis]!);
  const out = data.slice() as typeof data;
  const place = new Array<number>(to.length).fill(0);
  let from = 0;
  for (let at = 0; at < out.length; at++) {
    out[at] = data[from]!;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++place[axis]! < to[axis]!) break;
      from -= steps[axis]! * to[axis]!;
      place[axis] = 0;
    }
  }
  return { dtype, shape: to, data: out };
}

/** The same values in another shape of as many. */
export function reshape({ dtype, data }: HostTensor, shape: readonly number[]): HostTensor {
  const count = shape.reduce((size, one) => size * one, 1);
  if (count !== data.length) throw new RangeError(`[${shape.join(', ')}] for ${data.length} values`);
  return { dtype, shape, data };
}
