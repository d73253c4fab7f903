import * as tf from '@tensorflow/tfjs-core';
import { type Affine, dense, gelu, layerNorm, type Norm } from '../nn/layers.ts';
import { attend, attendHeadByHead, type Relative } from './attention.ts';
import type { VitConfig } from './config.ts';
import { type DropPath, dropPathFactors } from './drop-path.ts';
import { relativeBias, relativeIndices } from './positions.ts';
import { mostKeptTokens } from './sizes.ts';

/** Queries, keys and values of all heads: the columns of `weight` in this order, and in each the heads. */
export interface QueryKeyValue<T> {
  /** [dim, 3 * dim] */
  readonly weight: T;
  /** [dim] */
  readonly queryBias: T;
  /** [dim], absent where `keyBias` is false: keys then have none, as in BEiT. */
  readonly keyBias?: T;
  /** [dim] */
  readonly valueBias: T;
}

export interface Block<T> {
  readonly norm1: Norm<T>;
  readonly qkv: QueryKeyValue<T>;
  /** A table of this block alone, as `relativePositions` of `Vit`: BEiT has one at fine-tuning. */
  readonly relativePositions?: T;
  readonly projection: Affine<T>;
  readonly norm2: Norm<T>;
  readonly expand: Affine<T>;
  readonly contract: Affine<T>;
  /** LayerScale, absent where `layerScaleInit` is 0. */
  readonly scale1?: T;
  readonly scale2?: T;
}

/** Weights of a vision transformer: tensors in a step, arrays in a file. */
export interface Vit<T> {
  readonly patch: Affine<T>;
  /** [1, 1, dim] */
  readonly classToken: T;
  /** Learned absolute positions, [1, 1 + tokens, dim], where `positions` is `absolute`. */
  readonly positions?: T;
  /** What scores get by distance, [rows, heads], for all blocks: where `positions` is `relative`, at pretraining. */
  readonly relativePositions?: T;
  readonly blocks: { readonly [index: string]: Block<T> };
  /** Of what comes out of the last block; fine-tuning has one of its own instead. */
  readonly norm: Norm<T>;
}

/** images [B, H, W, 3] in [0, 1] -> patches [B, tokens, patch * patch * 3], normalised, row by row. */
export function patchify(
  images: tf.Tensor,
  { patch, pixels }: Pick<VitConfig, 'patch' | 'pixels'>,
): tf.Tensor {
  const [batch, height, width, channels] = images.shape as [number, number, number, number];
  const rows = height / patch;
  const columns = width / patch;
  const centred = tf.sub(images, tf.tensor1d([...pixels.mean]));
  const normal = tf.mul(centred, tf.tensor1d(pixels.deviation.map((deviation) => 1 / deviation)));
  const split = tf.reshape(normal, [batch, rows, patch, columns, patch, channels]);
  const grouped = tf.transpose(split, [0, 1, 3, 2, 4, 5]);
  return tf.reshape(grouped, [batch, rows * columns, patch * patch * channels]);
}

/** Patch embeddings [B, tokens, dim], before the class token and the positions. */
export function embedPatches(
  vit: Pick<Vit<tf.Tensor>, 'patch'>,
  config: Pick<VitConfig, 'patch' | 'pixels'>,
  images: tf.Tensor,
): tf.Tensor {
  return dense(patchify(images, config), vit.patch);
}

/** Puts the class token in front and adds absolute positions where there are any: [B, tokens, dim] -> [B, 1 + tokens, dim]. */
export function withPositions(
  { classToken, positions }: Pick<Vit<tf.Tensor>, 'classToken' | 'positions'>,
  embedded: tf.Tensor,
): tf.Tensor {
  const [batch, , dim] = embedded.shape as [number, number, number];
  const tokens = tf.concat([tf.broadcastTo(classToken, [batch, 1, dim]), embedded], 1);
  return positions ? tf.add(tokens, positions) : tokens;
}

export interface BlocksOptions {
  /** How many blocks to run; absent: all. */
  readonly depth?: number | undefined;
  /** Absent: no branch is left out, as in every evaluation. */
  readonly dropPath?: DropPath | undefined;
  /**
   * Whether blocks compute the probabilities of their attention again in the backward pass, instead of keeping them; absent: of
   * more tokens than `mostKeptTokens`.
   */
  readonly recompute?: boolean | undefined;
}

type Body<T> = Pick<Vit<T>, 'blocks' | 'relativePositions'>;

/** Runs the first `depth` blocks over tokens [B, 1 + patches, dim]; the final norm is not applied. */
export function applyBlocks(
  vit: Body<tf.Tensor>,
  config: Pick<VitConfig, 'heads'>,
  tokens: tf.Tensor,
  options: BlocksOptions = {},
): tf.Tensor {
  return blockOutputs(vit, config, tokens, options).at(-1) ?? tokens;
}

/** The same, with what comes out of each block, in their order. */
export function blockOutputs(
  vit: Body<tf.Tensor>,
  { heads }: Pick<VitConfig, 'heads'>,
  tokens: tf.Tensor,
  { depth, dropPath, recompute }: BlocksOptions = {},
): tf.Tensor[] {
  const [batch, count] = tokens.shape as [number, number, number];
  const all = Object.values(vit.blocks);
  const positions = positionsOf(vit, count, recompute ?? count > mostKeptTokens);
  const factors = dropPath ? dropPathFactors(dropPath, batch, all.length) : [];
  const outputs: tf.Tensor[] = [];
  let x = tokens;
  for (const [index, block] of all.slice(0, depth).entries()) {
    const [first, second] = factors[index] ?? [];
    const attended = attention(layerNorm(x, block.norm1), block, { heads, ...positions(block) });
    x = addBranch(x, attended, block.scale1, first);
    const mixed = dense(gelu(dense(layerNorm(x, block.norm2), block.expand)), block.contract);
    x = addBranch(x, mixed, block.scale2, second);
    outputs.push(x);
  }
  return outputs;
}

/** Relative positions as the attention of a block wants them; what blocks share is made once. */
function positionsOf(
  { blocks, relativePositions }: Body<tf.Tensor>,
  count: number,
  recompute: boolean,
): (block: Block<tf.Tensor>) => Omit<Positioned, 'heads'> {
  const own = Object.values(blocks).some((block) => block.relativePositions);
  if (!own && !relativePositions) return () => ({ recompute });
  const indices = relativeIndices(count);
  const shared =
    relativePositions && !recompute ? relativeBias(relativePositions, count, indices) : undefined;
  return (block) => {
    const table = block.relativePositions ?? relativePositions;
    if (!table) return { recompute };
    if (recompute) return { recompute, relative: { table, indices } };
    return { recompute, bias: block.relativePositions ? relativeBias(table, count, indices) : shared };
  };
}

/** x + branch * scale * factor; the two small factors are multiplied first. */
function addBranch(x: tf.Tensor, branch: tf.Tensor, scale?: tf.Tensor, factor?: tf.Tensor): tf.Tensor {
  const by = scale && factor ? tf.mul(factor, scale) : (scale ?? factor);
  return tf.add(x, by ? tf.mul(branch, by) : branch);
}

/** Mean of the patch tokens, without the class token: [B, 1 + tokens, dim] -> [B, dim]. */
export function meanOfPatches(tokens: tf.Tensor): tf.Tensor2D {
  const [batch, count, dim] = tokens.shape as [number, number, number];
  return tf.mean(tf.slice(tokens, [0, 1, 0], [batch, count - 1, dim]), 1);
}

interface Positioned {
  readonly heads: number;
  /** [heads, N, N] where probabilities are kept, the table where they are computed again; neither without such positions. */
  readonly bias?: tf.Tensor | undefined;
  readonly relative?: Relative | undefined;
  readonly recompute: boolean;
}

/** Multi-head self-attention of [B, N, dim] with the layers around it. */
function attention(
  x: tf.Tensor,
  { qkv, projection }: Pick<Block<tf.Tensor>, 'qkv' | 'projection'>,
  { heads, bias, relative, recompute }: Positioned,
): tf.Tensor {
  const [batch, count, dim] = x.shape as [number, number, number];
  const biases = tf.concat([qkv.queryBias, qkv.keyBias ?? tf.zeros([dim]), qkv.valueBias]);
  const layer = { weight: qkv.weight, bias: biases };
  const split = tf.reshape(dense(x, layer), [batch, count, 3, heads, dim / heads]);
  const apart = tf.transpose(split, [2, 0, 3, 1, 4]);
  const mixed = recompute ? attendHeadByHead(apart, relative) : attend(apart, bias);
  return dense(tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, count, dim]), projection);
}
