import type * as tf from '@tensorflow/tfjs-core';
import type { VitConfig } from '../../../backbone/config.ts';
import type { DropPath } from '../../../backbone/drop-path.ts';
import { initPyramid, mapsOf, type Pyramid, pyramidOf } from '../../../backbone/pyramid.ts';
import { type Layers, usualLayers } from '../../../backbone/pyramid-config.ts';
import { blockOutputs, embedPatches, type Vit, withPositions } from '../../../backbone/vit.ts';
import type { HostTensor } from '../../../engine/types.ts';
import type { BatchNorm } from '../../../nn/batch-norm.ts';
import type { Random } from '../../../nn/random.ts';
import { unit } from '../../../nn/unit.ts';
import { type Body, bodyOf } from '../../body.ts';
import { anchorsOf, levelsOf } from './anchors.ts';
import type { MaskRcnnModelConfig } from './config.ts';
import { applyFpn, type Fpn, initFpn } from './fpn.ts';
import { type BoxHead, initBoxHead, initMaskHead, type MaskHead } from './heads.ts';
import { type Stack, stackMaps } from './pooling.ts';
import type { LevelOutput } from './proposals.ts';
import { applyRpn, initRpn, type Rpn } from './rpn.ts';

/** Mask R-CNN on the feature pyramid of a vision transformer. */
export interface Detector<T> {
  readonly vit: Body<T>;
  readonly pyramid: Pyramid<T>;
  readonly fpn: Fpn<T>;
  readonly rpn: Rpn<T>;
  readonly boxHead: BoxHead<T>;
  readonly maskHead: MaskHead<T>;
}

/** A detector's config: its own fields, and those of its backbone. */
export interface DetectorConfig extends MaskRcnnModelConfig {
  readonly backbone: VitConfig;
  /** Of which blocks the four maps are made, counted from 1; absent: `usualLayers`. */
  readonly layers?: Layers | undefined;
}

/** A detector that begins with these weights of a backbone. */
export function initDetector(
  random: Random,
  config: DetectorConfig,
  vit: Vit<HostTensor>,
  classes: number,
): Detector<HostTensor> {
  const { backbone, fpnChannels, anchors } = config;
  return {
    vit: bodyOf(vit),
    pyramid: initPyramid(random, backbone.dim),
    fpn: initFpn(random, backbone.dim, fpnChannels),
    rpn: initRpn(random, fpnChannels, anchors.ratios.length),
    boxHead: initBoxHead(random, config, classes),
    maskHead: initMaskHead(random, config, classes),
  };
}

/** What all heads look at. */
export interface Seen {
  /** What the proposal network says, level by level. */
  readonly levels: readonly LevelOutput[];
  /** The four maps that boxes are cut from. */
  readonly stack: Stack;
}

/** images uint8 (or float32 in [0, 1]) [B, S, S, 3], S an even number of patches. */
export function look(
  detector: Pick<Detector<tf.Tensor>, 'vit' | 'pyramid' | 'fpn' | 'rpn'>,
  config: DetectorConfig,
  images: tf.Tensor,
  { norm, dropPath }: { readonly norm: BatchNorm; readonly dropPath?: DropPath | undefined },
): Seen {
  const { vit, pyramid, fpn, rpn } = detector;
  const { backbone, layers = usualLayers(config.backbone.depth) } = config;
  const tokens = withPositions(vit, embedPatches(vit, backbone, unit(images)));
  const outputs = blockOutputs(vit, backbone, tokens, { dropPath, depth: Math.max(...layers) });
  const maps = applyFpn(fpn, pyramidOf(pyramid, mapsOf(outputs, layers), norm));
  return seeMaps(rpn, config, maps, images.shape[1]!);
}

/** The same of five maps of the feature pyramid, of a canvas of `size` pixels a side. */
export function seeMaps(
  rpn: Rpn<tf.Tensor>,
  { backbone, anchors }: Pick<DetectorConfig, 'anchors'> & { readonly backbone: Pick<VitConfig, 'patch'> },
  maps: readonly tf.Tensor4D[],
  size: number,
): Seen {
  const levels = levelsOf(size, backbone.patch);
  const strides = levels.map(({ stride }) => stride);
  return {
    levels: applyRpn(rpn, maps, anchorsOf(levels, anchors)),
    stack: stackMaps(maps.slice(0, 4), strides),
  };
}
