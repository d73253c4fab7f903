import type { WiredInputs } from '../../../framework/stage/component.ts';
import type { Costs } from '../../../framework/stage/costs.ts';
import { factOf } from '../../../framework/stage/expect.ts';
import type { VitConfig } from '../../backbone/config.ts';
import { backboneOf, keptOnTheWay, vitCounts } from '../../backbone/costs.ts';
import { type Layers, pyramidCounts, pyramidFactors, usualLayers } from '../../backbone/pyramid-config.ts';
import { type Counts, convCounts, denseCounts, repeated, sumOf, trainingFlops } from '../../nn/costs.ts';
import type { Checkpoint } from '../../training/checkpoint-config.ts';
import { validatedCosts } from '../../training/costs.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { MaskRcnnModelConfig } from './model/config.ts';

interface DetectorTraining extends Recipe, MaskRcnnModelConfig {
  readonly backbone?: VitConfig | undefined;
  readonly layers?: Layers | undefined;
  readonly checkpoint: Checkpoint;
  readonly view: { readonly size?: number | undefined };
}

interface Sizes {
  readonly imageSize: number;
  readonly classes: number;
}

/** Counts of the same layer at several sizes: its parameters are counted once. */
function shared(counts: readonly Counts[]): Counts {
  return { ...sumOf(counts), parameters: counts[0]?.parameters ?? 0 };
}

/** What comes after the backbone and its pyramid, for an image of a training. */
export function headsCounts(
  { fpnChannels: wide, anchors, boxHead, maskHead }: MaskRcnnModelConfig,
  { dim, patch }: Pick<VitConfig, 'dim' | 'patch'>,
  { imageSize, classes }: Sizes,
): Counts {
  const sides = pyramidFactors.map((factor) => Math.floor((imageSize / patch) * factor));
  const conv = (side: number, size: number, inputs: number, outputs: number) =>
    convCounts({ height: side, width: side, size, inputs, outputs });
  const fpn = sides.flatMap((side) => [conv(side, 1, dim, wide), conv(side, 3, wide, wide)]);
  const proposed = [...sides, Math.ceil((sides[3] ?? 0) / 2)];
  const each = anchors.ratios.length;
  const rpn = [
    shared(proposed.map((side) => conv(side, 3, wide, wide))),
    shared(proposed.map((side) => conv(side, 1, wide, 5 * each))),
  ];
  const boxes = (inputs: number, outputs: number) => denseCounts({ rows: boxHead.samples, inputs, outputs });
  const { width } = boxHead;
  const box = [boxes(wide * boxHead.size ** 2, width), boxes(width, width), boxes(width, 1 + 5 * classes)];
  // Shapes are static: as many masks as there may be positive boxes.
  const masks = Math.round(boxHead.samples * boxHead.positives);
  const { size, channels, convolutions } = maskHead;
  const ofMasks = (counts: Counts): Counts => ({ ...repeated(masks, counts), parameters: counts.parameters });
  const mask = [
    ...Array.from({ length: convolutions }, (_, index) =>
      conv(size, 3, index === 0 ? wide : channels, channels),
    ),
    {
      ...denseCounts({ rows: size ** 2, inputs: channels, outputs: 4 * channels }),
      parameters: 4 * channels ** 2 + channels,
    },
    // Of the classes' masks only one is computed for a box.
    {
      ...denseCounts({ rows: (2 * size) ** 2, inputs: channels, outputs: 1 }),
      parameters: (channels + 1) * classes,
    },
  ].map(ofMasks);
  return sumOf([...fpn, ...rpn, ...box, ...mask]);
}

/** What is trained: the backbone with a table of relative positions a block, its pyramid, and what comes after. */
export function detectorCounts(
  config: MaskRcnnModelConfig & { readonly layers?: Layers | undefined },
  backbone: VitConfig,
  sizes: Sizes,
): { readonly first: Counts; readonly all: Counts } {
  const { imageSize } = sizes;
  const { layers = usualLayers(backbone.depth) } = config;
  const use = { imageSize, ownTables: true };
  const whole = vitCounts(backbone, use);
  // Blocks after the last that is looked at are trained as little as they run.
  const { body, first } = vitCounts(backbone, { ...use, depth: Math.max(...layers) });
  const vit = { ...body, parameters: whole.body.parameters };
  const all = sumOf([
    vit,
    pyramidCounts(backbone.dim, imageSize / backbone.patch),
    headsCounts(config, backbone, sizes),
  ]);
  return { first, all };
}

/** The training; looking at the test split once takes little beside it. */
export function costs(config: DetectorTraining, { train, pretrained }: WiredInputs): Costs | undefined {
  const backbone = backboneOf(config.backbone, pretrained);
  const imageSize = config.view.size ?? factOf(train, 'size');
  const classes = factOf(train, 'classes');
  if (!backbone || imageSize === undefined || classes === undefined) return undefined;
  const { first, all } = detectorCounts(config, backbone, { imageSize, classes });
  return validatedCosts(config, factOf(train, 'images'), {
    parameters: all.parameters,
    flops: { dense: trainingFlops(all, first) },
    forward: { dense: all.flops },
    kept: keptOnTheWay(all),
  });
}
