import type { WiredInputs } from '../../../framework/stage/component.ts';
import type { Costs } from '../../../framework/stage/costs.ts';
import { factOf } from '../../../framework/stage/expect.ts';
import type { VitConfig } from '../../backbone/config.ts';
import { backboneOf, keptOnTheWay, vitCounts } from '../../backbone/costs.ts';
import { pyramidCounts, pyramidFactors } from '../../backbone/pyramid-config.ts';
import {
  type Counts,
  convCounts,
  denseCounts,
  normCounts,
  repeated,
  sumOf,
  trainingFlops,
} from '../../nn/costs.ts';
import type { Checkpoint } from '../../training/checkpoint-config.ts';
import { validatedCosts } from '../../training/costs.ts';
import type { Recipe } from '../../training/recipe.ts';
import { poolScales } from './model/sizes.ts';

interface Segmentation extends Recipe {
  readonly backbone?: VitConfig | undefined;
  readonly channels?: number | undefined;
  readonly auxiliary: { readonly channels: number; readonly weight: number };
  readonly checkpoint: Checkpoint;
  readonly view: { readonly size?: number | undefined };
}

/** What its counts follow from. */
interface Sizes {
  readonly imageSize: number;
  readonly classes: number;
  readonly channels: number;
  /** Channels of the auxiliary head; absent: there is none. */
  readonly auxiliary?: number | undefined;
}

export interface SegmenterCounts {
  readonly first: Counts;
  /** The transformer, a table of relative positions a block, and its pyramid. */
  readonly backbone: Counts;
  readonly decoder: Counts;
  readonly auxiliary: Counts;
}

/** A convolution on a square map, its batch norm, and what is left of it for the way back. */
function convNormCounts(side: number, size: number, inputs: number, outputs: number): Counts {
  return sumOf([
    convCounts({ ...{ height: side, width: side }, ...{ size, inputs, outputs, bias: false } }),
    normCounts({ rows: side ** 2, width: outputs }),
    { parameters: 0, flops: 0, kept: side ** 2 * outputs },
  ]);
}

/** What is trained, part by part. */
export function segmenterCounts(
  config: VitConfig,
  { imageSize, classes, channels, auxiliary }: Sizes,
): SegmenterCounts {
  const side = imageSize / config.patch;
  const { first, body } = vitCounts(config, { imageSize, ownTables: true });
  const { dim } = config;
  const sides = pyramidFactors.map((factor) => Math.floor(factor * side)) as [number, number, number, number];
  const [finest, , middle, coarsest] = sides;
  const pooled = poolScales.length * channels;
  const pixels = (rows: number, inputs: number) =>
    sumOf([
      denseCounts({ rows, inputs, outputs: classes }),
      // Logits of each pixel of the picture, their probabilities and what they should be.
      { parameters: 0, flops: 0, kept: 2 * imageSize ** 2 * classes },
    ]);
  return {
    first,
    backbone: sumOf([body, pyramidCounts(dim, side)]),
    decoder: sumOf([
      ...poolScales.map((scale) => convNormCounts(scale, 1, dim, channels)),
      convNormCounts(coarsest, 3, dim + pooled, channels),
      ...sides
        .slice(0, 3)
        .flatMap((each) => [
          convNormCounts(each, 1, dim, channels),
          convNormCounts(each, 3, channels, channels),
        ]),
      convNormCounts(finest, 3, 4 * channels, channels),
      pixels(finest ** 2, channels),
    ]),
    auxiliary:
      auxiliary === undefined
        ? repeated(0, first)
        : sumOf([convNormCounts(middle, 3, dim, auxiliary), pixels(middle ** 2, auxiliary)]),
  };
}

/** The training; looking at the test split once takes little beside it. */
export function costs(config: Segmentation, { train, pretrained }: WiredInputs): Costs | undefined {
  const backbone = backboneOf(config.backbone, pretrained);
  const imageSize = config.view.size ?? factOf(train, 'size');
  const classes = factOf(train, 'classes');
  if (!backbone || imageSize === undefined || classes === undefined) return undefined;
  const { channels = backbone.dim, auxiliary } = config;
  const { first, ...parts } = segmenterCounts(backbone, {
    ...{ imageSize, classes, channels },
    auxiliary: auxiliary.weight > 0 ? auxiliary.channels : undefined,
  });
  const all = sumOf(Object.values(parts));
  return validatedCosts(config, factOf(train, 'images'), {
    parameters: all.parameters,
    flops: { dense: trainingFlops(all, first) },
    forward: { dense: all.flops },
    kept: keptOnTheWay(all),
  });
}
