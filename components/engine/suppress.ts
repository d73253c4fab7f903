import type { KernelFunc, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { EngineError } from './types.ts';

/** The kernel of `keptBoxes`: tfjs's own returns as many boxes as remain, so its shape depends on values. */
export const suppressKernel = 'SuppressOverlaps';

export interface SuppressAttributes {
  readonly threshold: number;
}

/**
 * Greedy non-maximum suppression: bool [groups, boxes], true for a box that is `valid` and overlaps none of the boxes
 * before it in its group that remain, by more than `threshold` (intersection over union). Boxes come in the order of
 * falling scores, so there are no ties. In float32 with the operations of torchvision.ops.nms. No gradient.
 *
 * @param boxes float32 [groups, boxes, 4]: x0, y0, x1, y1 with x0 <= x1 and y0 <= y1
 * @param valid bool [groups, boxes]
 * @param threshold from 0 to 1
 * @throws EngineError for other shapes
 */
export function keptBoxes(boxes: Tensor, valid: Tensor, threshold: number): Tensor {
  const [groups, count] = valid.shape;
  if (boxes.rank !== 3 || valid.rank !== 2 || `${boxes.shape}` !== `${[groups, count, 4]}`)
    throw new EngineError(
      `keptBoxes wants boxes [groups, boxes, 4] and valid [groups, boxes], not [${boxes.shape.join(', ')}] and [${valid.shape.join(', ')}]`,
    );
  const attributes: SuppressAttributes = { threshold };
  return tf.engine().runKernel(suppressKernel, { boxes, valid }, { ...attributes });
}

/** The same in plain JavaScript: 1 or 0 for each box. */
export function keptValues(
  boxes: ArrayLike<number>,
  valid: ArrayLike<number>,
  [groups, count]: readonly [number, number],
  threshold: number,
): Uint8Array {
  const kept = new Uint8Array(groups * count);
  const limit = Math.fround(threshold);
  for (let group = 0; group < groups; group++) {
    const chosen: number[] = [];
    for (let place = group * count; place < (group + 1) * count; place++) {
      if (!valid[place] || chosen.some((before) => overlap(boxes, 4 * before, 4 * place) > limit)) continue;
      chosen.push(place);
      kept[place] = 1;
    }
  }
  return kept;
}

/** Intersection over union, rounded to float32 after each operation; 0 where a box has no area. */
function overlap(boxes: ArrayLike<number>, a: number, b: number): number {
  const side = (from: number, to: number) => Math.fround(to - from);
  const areaOf = (at: number) =>
    Math.fround(side(boxes[at]!, boxes[at + 2]!) * side(boxes[at + 1]!, boxes[at + 3]!));
  const width = side(Math.max(boxes[a]!, boxes[b]!), Math.min(boxes[a + 2]!, boxes[b + 2]!));
  const height = side(Math.max(boxes[a + 1]!, boxes[b + 1]!), Math.min(boxes[a + 3]!, boxes[b + 3]!));
  if (!(width > 0 && height > 0)) return 0;
  const common = Math.fround(width * height);
  const [first, second] = [areaOf(a), areaOf(b)];
  if (!(first > 0 && second > 0)) return 0;
  return Math.fround(common / Math.fround(Math.fround(first + second) - common));
}

/** Lets a tfjs backend compute `keptBoxes`: on the host, by `keptValues`. */
export function registerSuppress(backendName: string): void {
  if (tf.getKernel(suppressKernel, backendName) !== undefined) return;
  const kernelFunc: KernelFunc = ({ inputs, attrs, backend }) => {
    const host = backend as tf.KernelBackend;
    const { threshold } = attrs as unknown as SuppressAttributes;
    const { boxes, valid } = inputs as { readonly [name: string]: tf.TensorInfo };
    const read = ({ dataId }: tf.TensorInfo) => host.readSync(dataId) as Float32Array | Uint8Array;
    const shape = valid!.shape as [number, number];
    const kept = keptValues(read(boxes!), read(valid!), shape, threshold);
    const dataId = host.write(kept, shape, 'bool');
    return { dataId: dataId as object, shape, dtype: 'bool' };
  };
  tf.registerKernel({ kernelName: suppressKernel, backendName, kernelFunc });
}
