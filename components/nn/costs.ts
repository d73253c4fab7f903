/**
 * What a layer costs, counted from its sizes: no tensor is made. Components add these up in their `costs`.
 *
 * FLOPs are those of matrix products and convolutions, a multiplication and its addition counted as 2. Biases, norms,
 * activations and softmax are left out: they are below 1 % of the products of a transformer or a convolutional network.
 */
export interface Counts {
  /** Numbers that are trained. */
  readonly parameters: number;
  /** Of a forward pass over what the sizes describe: one image, unless its caller says more. */
  readonly flops: number;
  /** Numbers that the forward pass leaves behind for the backward pass, an estimate. */
  readonly kept: number;
}

export const nothing: Counts = { parameters: 0, flops: 0, kept: 0 };

/** All of them together. */
export function sumOf(counts: readonly Counts[]): Counts {
  return counts.reduce(
    (sum, each) => ({
      parameters: sum.parameters + each.parameters,
      flops: sum.flops + each.flops,
      kept: sum.kept + each.kept,
    }),
    nothing,
  );
}

/** `count` layers of the same sizes, each with parameters of its own. */
export function repeated(count: number, { parameters, flops, kept }: Counts): Counts {
  return { parameters: count * parameters, flops: count * flops, kept: count * kept };
}

/** Parameters that are in no product: tokens, positions, scales, codebooks. */
export function plainParameters(count: number): Counts {
  return { ...nothing, parameters: count };
}

interface Channels {
  readonly inputs: number;
  readonly outputs: number;
  /** Default: yes. */
  readonly bias?: boolean;
}

/** A dense layer that is applied to so many rows. */
export function denseCounts({
  rows,
  inputs,
  outputs,
  bias = true,
}: Channels & { readonly rows: number }): Counts {
  return {
    parameters: inputs * outputs + (bias ? outputs : 0),
    flops: 2 * rows * inputs * outputs,
    kept: rows * inputs,
  };
}

/** A convolution with a square kernel, `size` wide, whose output has height * width places; `stride` tells its input's. */
export function convCounts({
  height,
  width,
  size,
  inputs,
  outputs,
  stride = 1,
  bias = true,
}: Channels & {
  readonly height: number;
  readonly width: number;
  readonly size: number;
  readonly stride?: number;
}): Counts {
  return {
    parameters: size ** 2 * inputs * outputs + (bias ? outputs : 0),
    flops: 2 * height * width * size ** 2 * inputs * outputs,
    kept: height * width * stride ** 2 * inputs,
  };
}

/** A layer or group normalisation of rows: gain and bias for each channel. */
export function normCounts({ rows, width }: { readonly rows: number; readonly width: number }): Counts {
  return { parameters: 2 * width, flops: 0, kept: rows * width };
}

/** An activation function of so many numbers. */
export function activationCounts(numbers: number): Counts {
  return { ...nothing, kept: numbers };
}

/** Sizes of multi-head self-attention over `tokens` tokens. */
export interface AttentionSizes {
  readonly tokens: number;
  readonly dim: number;
  readonly heads: number;
  /** Whether keys have a bias, beside queries and values. BEiT: no. */
  readonly keyBias?: boolean;
  /** Whether the backward pass finds all probabilities, or computes them again head by head. Default: it finds them. */
  readonly keepsScores?: boolean;
}

/** Queries, keys and values, scores, mixing, and the projection behind. */
export function attentionCounts({
  tokens,
  dim,
  heads,
  keyBias = false,
  keepsScores = true,
}: AttentionSizes): Counts {
  const scores = keepsScores ? heads * tokens ** 2 : 2 * tokens * dim;
  return sumOf([
    denseCounts({ rows: tokens, inputs: dim, outputs: 3 * dim, bias: false }),
    plainParameters((keyBias ? 3 : 2) * dim),
    // Scores and mixing: 2 * tokens * tokens * dim each, all heads together.
    { parameters: 0, flops: 4 * tokens ** 2 * dim, kept: 3 * tokens * dim + scores },
    denseCounts({ rows: tokens, inputs: dim, outputs: dim }),
  ]);
}

/** Sizes of a transformer block with a norm in front of each branch. */
export interface BlockSizes extends AttentionSizes {
  /** Units of the MLP between its two layers. */
  readonly hidden: number;
  /** Whether each branch has a factor for each channel. */
  readonly layerScale?: boolean;
}

/** Two norms, attention, MLP, and the factors of LayerScale. */
export function blockCounts({ hidden, layerScale = false, ...attention }: BlockSizes): Counts {
  const { tokens, dim } = attention;
  return sumOf([
    repeated(2, normCounts({ rows: tokens, width: dim })),
    attentionCounts(attention),
    denseCounts({ rows: tokens, inputs: dim, outputs: hidden }),
    activationCounts(2 * tokens * hidden),
    denseCounts({ rows: tokens, inputs: hidden, outputs: dim }),
    ...(layerScale ? [{ parameters: 2 * dim, flops: 0, kept: 2 * tokens * dim }] : []),
  ]);
}

/**
 * FLOPs of a forward and a backward pass: the gradient to the weights and the one to the input each take the products of
 * the forward pass again. `first` is the part whose input needs no gradient, such as the embedding of pixels.
 */
export function trainingFlops(
  forward: Pick<Counts, 'flops'>,
  first: Pick<Counts, 'flops'> = nothing,
): number {
  return 3 * forward.flops - first.flops;
}

/**
 * Bytes of memory of a training, an estimate: weights and both moments of Adam in two copies (an engine reads one and
 * writes the other), gradients, and what a micro-batch leaves for the backward pass.
 */
export function trainingBytes(
  { parameters, kept }: Pick<Counts, 'parameters' | 'kept'>,
  microBatch: number,
): number {
  return 4 * (7 * parameters + microBatch * kept);
}
