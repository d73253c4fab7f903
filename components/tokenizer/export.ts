import { writeFileSync } from 'node:fs';
import type * as tf from '@tensorflow/tfjs-core';
import type { ExportFunction, StageInput } from '../../framework/stage/contract.ts';
import type { Dataset } from '../data/types.ts';
import { sizeOf, type View } from '../data/views/view.ts';
import { exportOnnx } from '../engine/onnx/export.ts';
import type { HostOf, TensorSpec } from '../engine/types.ts';
import type { TreeOf } from '../nn/tree.ts';
import type { Tokenizer } from './tokenizer.ts';

/**
 * A tokenizer as an ONNX model of one image, opset 21; the size is that of the images that it was trained on.
 *
 * - `onnx`: images float32 [1, size, size, 3] in [0, 1] -> codes int32 [1, T], row by row
 * - `onnx-decoder`: codes int32 [1, T] -> images float32 [1, size, size, 3] around [0, 1], not clipped
 */
export const exportResult: ExportFunction = async (input, { format, file }) => {
  const tokenizer = (await input.load()) as Tokenizer;
  const size = await sizeSeen(input as StageInput<object>);
  const tokens = (size / tokenizer.stride) ** 2;
  const images = { shape: [1, size, size, 3] };
  const codes = { shape: [1, tokens], dtype: 'int32' as const };
  const state = tokenizer.weights as HostOf<Weights>;
  if (format === 'onnx') {
    const step = (weights: Weights, batch: { images: tf.Tensor }) => ({
      state: weights,
      out: { codes: tokenizer.encode(weights, batch.images) },
    });
    writeFileSync(file, exportOnnx({ name: 'encoder', state, batch: { images }, step }));
    return { load: [`input batch/images: ${show(images)} in [0, 1]`, `output out/codes: ${show(codes)}`] };
  }
  const step = (weights: Weights, batch: { codes: tf.Tensor }) => ({
    state: weights,
    out: { images: tokenizer.decode(weights, batch.codes) },
  });
  writeFileSync(file, exportOnnx({ name: 'decoder', state, batch: { codes }, step }));
  return { load: [`input batch/codes: ${show(codes)}`, `output out/images: ${show(images)}`] };
};

type Weights = TreeOf<tf.Tensor>;

function show({ shape, dtype = 'float32' }: TensorSpec): string {
  return `${dtype} [${shape.join(', ')}]`;
}

/** Height and width of the images that a tokenizer was trained on; BEiT's 14 x 14 tokens if it was trained elsewhere. */
async function sizeSeen({ config, inputs }: StageInput<object>): Promise<number> {
  const { view, stride } = config as { readonly view?: View; readonly stride: number };
  if (view === undefined) return 14 * stride;
  return view.size ?? sizeOf(view, (await inputs.train!.load()) as Dataset);
}
