/**
 * Floating point operations, a multiply-add counted as 2. Dense ones (matrix products, attention) and convolutions apart,
 * since an engine has other rates for them; what else there is takes no part worth counting.
 */
export interface Flops {
  readonly dense?: number;
  readonly conv?: number;
}

/** What a stage computes. What isn't known is left out, never 0. */
export interface Costs {
  /** Numbers that the stage trains; 0 where it trains nothing. */
  readonly parameters?: number;
  /** For each image: all that is computed with it once, forward and backward, frozen networks included. */
  readonly flops?: Flops;
  /** Images in all: of a training its steps times its batch. */
  readonly images?: number;
  /** Bytes in use at once: weights, gradients, moments, activations of a micro-batch. An estimate. */
  readonly memory?: number;
}

/** What the result of a stage, or committed weights, cost those that use them: a network's features, a tokenizer's codes. */
export interface UseCosts {
  /** Numbers that it holds. */
  readonly parameters: number;
  /** Of an image's forward pass. */
  readonly flops: Flops;
  /** Bytes that a backward pass through it keeps of an image. */
  readonly activations: number;
  /** Of the way back, an image from a tokenizer's codes. */
  readonly back?: Flops;
}

export function addFlops(...parts: readonly Flops[]): Flops {
  const sum = (name: keyof Flops) => parts.reduce((total, part) => total + (part[name] ?? 0), 0);
  return { dense: sum('dense'), conv: sum('conv') };
}

export function scaleFlops({ dense = 0, conv = 0 }: Flops, factor: number): Flops {
  return { dense: dense * factor, conv: conv * factor };
}

export function countFlops({ dense = 0, conv = 0 }: Flops): number {
  return dense + conv;
}
