import type * as tf from '@tensorflow/tfjs-core';
import type { VitConfig } from '../../../backbone/config.ts';
import type { DropPath } from '../../../backbone/drop-path.ts';
import { initPyramid, mapsOf, type Pyramid, pyramidOf } from '../../../backbone/pyramid.ts';
import type { Layers } from '../../../backbone/pyramid-config.ts';
import { blockOutputs, embedPatches, type Vit, withPositions } from '../../../backbone/vit.ts';
import type { HostTensor } from '../../../engine/types.ts';
import type { BatchNorm } from '../../../nn/batch-norm.ts';
import { dense } from '../../../nn/layers.ts';
import type { Random } from '../../../nn/random.ts';
import { type Body, bodyOf } from '../../body.ts';
import { type Dropout, dropChannels } from './layers.ts';
import {
  type AuxiliaryHead,
  auxiliaryFeatures,
  initAuxiliaryHead,
  initUperNet,
  type UperNet,
  upernetFeatures,
} from './upernet.ts';

/** A vision transformer that says the class of each pixel, as BEiT's segmentation (microsoft/unilm, beit/semantic_segmentation). */
export interface Segmenter<T> {
  readonly vit: Body<T>;
  readonly pyramid: Pyramid<T>;
  readonly decoder: UperNet<T>;
  /** Trains the blocks in the middle, and is not looked at afterwards. Absent where its weight is 0. */
  readonly auxiliary?: AuxiliaryHead<T>;
}

/** What its sizes follow from. */
export interface SegmenterSizes {
  readonly backbone: VitConfig;
  /** Of which blocks the maps are made, counted from 1. */
  readonly layers: Layers;
  readonly classes: number;
  /** Of the decoder. */
  readonly channels: number;
  /** Of the auxiliary head; absent: there is none. */
  readonly auxiliary?: number | undefined;
}

/** The backbone without its norm, each block with a copy of the table of relative positions that all share. */
export function initSegmenter(
  random: Random,
  vit: Vit<HostTensor>,
  { backbone: { dim }, channels, auxiliary, classes }: Omit<SegmenterSizes, 'layers'>,
): Segmenter<HostTensor> {
  return {
    vit: bodyOf(vit),
    pyramid: initPyramid(random, dim),
    decoder: initUperNet(random, { dim, channels, classes }),
    ...(auxiliary === undefined
      ? {}
      : { auxiliary: initAuxiliaryHead(random, { dim, channels: auxiliary, classes }) }),
  };
}

export interface SegmentOptions {
  readonly norm: BatchNorm;
  /** Absent, as in every evaluation: nothing is left out. */
  readonly dropPath?: DropPath | undefined;
  readonly dropout?: Dropout | undefined;
}

/** Logits of both heads. */
export interface Segmented {
  /** [B, 4 side, 4 side, classes] for side * side patches. */
  readonly logits: tf.Tensor4D;
  /** [B, side, side, classes]; absent where there is no auxiliary head. */
  readonly auxiliary?: tf.Tensor4D;
}

/** images [B, H, W, 3] in [0, 1] -> logits, four times as fine as the patches. */
export function segment(
  { vit, pyramid, decoder, auxiliary }: Segmenter<tf.Tensor>,
  { backbone, layers }: Pick<SegmenterSizes, 'backbone' | 'layers'>,
  images: tf.Tensor,
  { norm, dropPath, dropout }: SegmentOptions,
): Segmented {
  const tokens = withPositions(vit, embedPatches(vit, backbone, images));
  const maps = pyramidOf(pyramid, mapsOf(blockOutputs(vit, backbone, tokens, { dropPath }), layers), norm);
  const features = upernetFeatures(decoder, maps, norm);
  if (!auxiliary) {
    const [main] = dropChannels([features], dropout);
    return { logits: dense(main!, decoder.head) as tf.Tensor4D };
  }
  const [main, beside] = dropChannels([features, auxiliaryFeatures(auxiliary, maps[2], norm)], dropout);
  return {
    logits: dense(main!, decoder.head) as tf.Tensor4D,
    auxiliary: dense(beside!, auxiliary.head) as tf.Tensor4D,
  };
}
