import type * as tf from '@tensorflow/tfjs-core';
import type { VitConfig } from '../../backbone/config.ts';
import type { Draw, DropPath } from '../../backbone/drop-path.ts';
import { initHead } from '../../backbone/init.ts';
import { applyBlocks, embedPatches, meanOfPatches, type Vit, withPositions } from '../../backbone/vit.ts';
import type { HostTensor } from '../../engine/types.ts';
import { type Affine, dense, initNorm, layerNorm, type Norm } from '../../nn/layers.ts';
import { accuracy, crossEntropy, softLabels } from '../../nn/losses.ts';
import type { Random } from '../../nn/random.ts';
import { unit } from '../../nn/unit.ts';
import type { Objective } from '../../training/objective.ts';
import { type Body, bodyOf, layersAfter } from '../body.ts';
import type { FineTuneConfig } from './config.ts';
import { mixImages, mixLabels } from './mix.ts';

/** BEiT's classifier: mean of the patch tokens, a norm of its own instead of the backbone's, a linear head. */
export interface Classifier<T> {
  /** Where positions are relative, each block has a table of its own. */
  readonly vit: Body<T>;
  readonly norm: Norm<T>;
  readonly head: Affine<T>;
}

export interface FineTuneBatch<T> {
  /** uint8 [B, H, W, 3]. */
  readonly images: T;
  /** int32 [B]. */
  readonly labels: T;
  /** int32 [3], of `dropPathNoise`; absent where no branch is left out. */
  readonly noise?: T;
  /** float32 [B, 6], of `mixesOf`; absent where images aren't mixed. */
  readonly mixes?: T;
}

/** The backbone without its norm, each block with a copy of the table of relative positions that all share. */
export function initClassifier(
  random: Random,
  vit: Vit<HostTensor>,
  classes: number,
): Classifier<HostTensor> {
  const [dim] = vit.norm.gain.shape as [number];
  return { vit: bodyOf(vit), norm: initNorm(dim), head: initHead(random, dim, classes) };
}

/** images [B, H, W, 3] in [0, 1] -> logits [B, classes]. */
export function classify(
  parameters: Classifier<tf.Tensor>,
  backbone: VitConfig,
  images: tf.Tensor,
  dropPath?: DropPath,
): tf.Tensor2D {
  const { vit } = parameters;
  const tokens = withPositions(vit, embedPatches(vit, backbone, images));
  const pooled = meanOfPatches(applyBlocks(vit, backbone, tokens, { dropPath }));
  return dense(layerNorm(pooled, parameters.norm), parameters.head) as tf.Tensor2D;
}

/** Cross-entropy of the labels, of mixed images with the labels of both. */
export function fineTuneObjective(
  config: FineTuneConfig,
  backbone: VitConfig,
  start: Classifier<HostTensor>,
  draw?: Draw,
): Objective<Classifier<tf.Tensor>, FineTuneBatch<tf.Tensor>> {
  return {
    name: 'fine-tuning',
    init: () => start,
    sometimes: ['positions'],
    loss(parameters, { batch: { images, labels, mixes, noise } }) {
      const dropPath = noise && { rate: config.dropPath, noise, ...(draw ? { draw } : {}) };
      const pixels = unit(images);
      const logits = classify(parameters, backbone, mixes ? mixImages(pixels, mixes) : pixels, dropPath);
      const { labelSmoothing: smoothing } = config;
      // Of a mixed image no label is the right one.
      if (mixes)
        return {
          loss: crossEntropy(logits, mixLabels(softLabels(labels, logits.shape[1], smoothing), mixes)),
        };
      return {
        loss: crossEntropy(logits, labels, { smoothing }),
        shown: { accuracy: accuracy(logits, labels) },
      };
    },
    layersAfter: (path) => layersAfter(path, backbone.depth),
  };
}
