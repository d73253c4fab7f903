import type { Tensor, TensorLike } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { allocate } from '../check.ts';
import type { TreeOf } from '../tree.ts';
import { isHostTensor, isTensor, leavesOf, mapTree } from '../tree.ts';
import type { HostTensor } from '../types.ts';

/** On the active backend; a copy, since the caller may reuse its array. tfjs has no bytes: uint8 becomes int32. */
export function toTensor({ data, shape, dtype }: HostTensor): Tensor {
  if (dtype === 'uint8') return tf.tensor(Int32Array.from(data), [...shape], 'int32');
  return tf.tensor(data.slice() as TensorLike, [...shape], dtype);
}

/** Tensors that live until they are disposed of. */
export function keepTensors(tree: TreeOf<HostTensor>): TreeOf<Tensor> {
  return mapTree(tree, isHostTensor, (leaf) => tf.keep(toTensor(leaf)));
}

export function toHost(tensor: Tensor): HostTensor {
  const dtype = tensor.dtype as HostTensor['dtype'];
  const data = allocate(dtype, tensor.shape);
  data.set(tensor.dataSync());
  return { dtype, shape: [...tensor.shape], data };
}

export function disposeTree(tree: TreeOf<Tensor>): void {
  for (const tensor of leavesOf(tree, isTensor).values()) tensor.dispose();
}
