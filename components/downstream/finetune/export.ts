import { writeFileSync } from 'node:fs';
import type * as tf from '@tensorflow/tfjs-core';
import type { ExportFunction } from '../../../framework/stage/contract.ts';
import {
  beitNames,
  linearNames,
  loadLine,
  normNames,
  pixelsLine,
  timmModel,
} from '../../backbone/official.ts';
import { exportOnnx } from '../../engine/onnx/export.ts';
import { saveTree } from '../../weights/safetensors.ts';
import { loadClassifier, type SavedClassifier } from './checkpoint.ts';
import { type Classifier, classify } from './model.ts';

/**
 * A fine-tuned classifier for other programs.
 *
 * - `beit`, `timm`: safetensors, the same names in both
 * - `onnx`: an ONNX model of one image: float32 [1, size, size, 3] in [0, 1] -> logits [1, classes]
 */
export const exportResult: ExportFunction = async ({ dir }, { format, file }) => {
  const saved = loadClassifier(dir);
  const { config, imageSize, weights } = saved;
  const [classes] = weights.head.bias.shape as [number];
  if (format === 'onnx') {
    writeFileSync(file, onnxOf(saved));
    const images = `float32 [1, ${imageSize}, ${imageSize}, 3] in [0, 1]`;
    return { load: [`input batch/images: ${images}`, `output out/logits: float32 [1, ${classes}]`] };
  }
  saveTree(file, {
    ...beitNames(weights.vit, config, 'each block'),
    ...normNames('fc_norm', weights.norm),
    ...linearNames('head', weights.head),
  });
  return { load: [`model = ${timmModel(config, { imageSize, classes })}`, loadLine, pixelsLine(config)] };
};

function onnxOf({ config, imageSize, weights }: SavedClassifier): Uint8Array {
  return exportOnnx<Classifier<tf.Tensor>, { images: tf.Tensor }, { logits: tf.Tensor }>({
    name: 'classifier',
    state: weights,
    batch: { images: { shape: [1, imageSize, imageSize, 3] } },
    step: (classifier, { images }) => ({
      state: classifier,
      out: { logits: classify(classifier, config, images) },
    }),
  });
}
