import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { ExportFunction } from '../../../framework/stage/contract.ts';
import { type Backbone, loadBackbone } from '../../backbone/checkpoint.ts';
import {
  beitNames,
  linearNames,
  loadLine,
  normNames,
  pixelsLine,
  timmModel,
} from '../../backbone/official.ts';
import { applyBlocks, embedPatches, type Vit, withPositions } from '../../backbone/vit.ts';
import { exportOnnx } from '../../engine/onnx/export.ts';
import type { HostTensor } from '../../engine/types.ts';
import { layerNorm } from '../../nn/layers.ts';
import { loadTree, saveTree } from '../../weights/safetensors.ts';
import type { MimHead } from './model.ts';

/**
 * A pretrained backbone for other programs.
 *
 * - `beit`: safetensors by the names of BEiT's pretraining checkpoints, mask token and `lm_head` included
 * - `timm`: safetensors that timm's model of the same size loads without a missing or an unexpected name
 * - `onnx`: an ONNX model of one image: float32 [1, size, size, 3] in [0, 1] -> tokens [1, 1 + T, dim] after the final norm
 */
export const exportResult: ExportFunction = async (input, { format, file }) => {
  const backbone = await loadBackbone(input);
  const { config, imageSize, weights } = backbone;
  if (format === 'onnx') {
    writeFileSync(file, onnxOf(backbone));
    const tokens = 1 + (imageSize / config.patch) ** 2;
    const images = `float32 [1, ${imageSize}, ${imageSize}, 3] in [0, 1]`;
    return {
      load: [`input batch/images: ${images}`, `output out/tokens: float32 [1, ${tokens}, ${config.dim}]`],
    };
  }
  const norm = normNames('norm', weights.norm);
  if (format === 'timm') {
    saveTree(file, { ...beitNames(weights, config, 'each block'), ...norm });
    return {
      load: [`model = ${timmModel(config, { imageSize, classes: 0 })}`, loadLine, pixelsLine(config)],
    };
  }
  const { maskToken, head } = loadTree<MimHead<HostTensor>>(path.join(input.dir, 'head.safetensors'));
  const tensors = beitNames(weights, config, 'shared');
  saveTree(file, { ...tensors, ...norm, mask_token: maskToken, ...linearNames('lm_head', head) });
  return {
    load: [
      "torch.save({'model': safetensors.torch.load_file(FILE)}, 'beit.pth') makes a checkpoint as BEiT's code reads it",
      pixelsLine(config),
    ],
  };
};

function onnxOf({ config, imageSize, weights }: Backbone): Uint8Array {
  return exportOnnx<Vit<tf.Tensor>, { images: tf.Tensor }, { tokens: tf.Tensor }>({
    name: 'backbone',
    state: weights,
    batch: { images: { shape: [1, imageSize, imageSize, 3] } },
    step: (vit, { images }) => {
      const tokens = withPositions(vit, embedPatches(vit, config, images));
      return { state: vit, out: { tokens: layerNorm(applyBlocks(vit, config, tokens), vit.norm) } };
    },
  });
}
