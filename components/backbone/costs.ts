import type { WiredInput } from '../../framework/stage/component.ts';
import { blockCounts, type Counts, denseCounts, normCounts, plainParameters, sumOf } from '../nn/costs.ts';
import { type VitConfig, vitSchema } from './config.ts';
import { hiddenOf, mostKeptTokens, relativeRows } from './sizes.ts';

/** What a vision transformer costs for one image. */
export interface VitCounts {
  /** The embedding of patches: pixels need no gradient. */
  readonly first: Counts;
  /** Embedding, tokens, positions and blocks, without the norm behind them. */
  readonly body: Counts;
}

export interface VitUse {
  readonly imageSize: number;
  /** How many blocks run; absent: all. */
  readonly depth?: number | undefined;
  /** Whether each block has a table of relative positions of its own, as at fine-tuning. */
  readonly ownTables?: boolean;
}

export function vitCounts(
  config: VitConfig,
  { imageSize, depth = config.depth, ownTables }: VitUse,
): VitCounts {
  const { dim, heads, patch, positions } = config;
  const side = imageSize / patch;
  const tokens = side ** 2 + 1;
  const first = denseCounts({ rows: side ** 2, inputs: patch ** 2 * 3, outputs: dim });
  const tables = positions === 'relative' ? relativeRows(side) * heads * (ownTables ? depth : 1) : 0;
  const absolute = positions === 'absolute' ? tokens * dim : 0;
  const block = blockCounts({
    ...{ tokens, dim, heads, hidden: hiddenOf(config) },
    ...{ keyBias: config.keyBias, layerScale: config.layerScaleInit > 0 },
    keepsScores: tokens <= mostKeptTokens,
  });
  return {
    first,
    body: sumOf([
      first,
      plainParameters(dim + tables + absolute),
      ...Array.from({ length: depth }, () => block),
    ]),
  };
}

/**
 * Numbers in memory at the peak of a training for each image: what is kept, and results on the way, in proportion.
 * Measured on the onnx engine, ViT-B/16 at 224, batch 8: 5.0 GiB for a pretraining, 4.7 for a fine-tuning, of which
 * weights, moments and gradients are 2.4.
 */
export function keptOnTheWay({ kept }: Pick<Counts, 'kept'>): number {
  return Math.round(1.6 * kept);
}

/** A norm of so many rows and a dense layer behind it. */
export function headCounts({ dim }: Pick<VitConfig, 'dim'>, rows: number, outputs: number): Counts {
  return sumOf([normCounts({ rows, width: dim }), denseCounts({ rows, inputs: dim, outputs })]);
}

/** The backbone of a pretraining that tells it, or the config's own where there is none. */
export function backboneOf(
  own: VitConfig | undefined,
  pretrained: WiredInput | undefined,
): VitConfig | undefined {
  if (!pretrained) return own;
  const told = vitSchema.safeParse(pretrained.facts.backbone);
  return told.success ? told.data : undefined;
}
