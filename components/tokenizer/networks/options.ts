/**
 * An encoder and decoder that train in seconds on small images: residual blocks at the lowest resolution alone, no
 * attention, and a decoder that upsamples by sub-pixel convolution.
 */
export interface SmallOptions {
  /** Channels at the lowest resolution; each higher resolution has half as many, at least 16. */
  readonly width: number;
  /** Side of the square of pixels that becomes one token, a power of two. */
  readonly stride: number;
  readonly residualBlocks: number;
}

/**
 * Encoder and decoder of VQGAN (Esser et al. 2021; CompVis/taming-transformers, taming/modules/diffusionmodules/model.py
 * without dropout, and the two 1x1 convolutions of taming/models/vqgan.py): group normalisation of 32 groups, swish,
 * downsampling by a convolution of stride 2 that is padded at the right and bottom, upsampling by repeating pixels.
 * Weights start as PyTorch's do, biases at 0.
 */
export interface VqganOptions {
  /** Channels that the multipliers multiply: `ch`. */
  readonly channels: number;
  /** For each resolution from the highest to the lowest: `ch_mult`. Between two the image is halved. */
  readonly multipliers: readonly number[];
  /** Residual blocks at each resolution; the decoder has one more. */
  readonly residualBlocks: number;
  /** Attention after each residual block of the lowest resolution. The middle has one in any case. */
  readonly attention: boolean;
  /** Channels between the network and the 1x1 convolution to or from codes: `z_channels`. */
  readonly latent: number;
}

/** Channels at each resolution, from the highest to the lowest. */
export function vqganWidths({
  channels,
  multipliers,
}: Pick<VqganOptions, 'channels' | 'multipliers'>): number[] {
  return multipliers.map((multiplier) => channels * multiplier);
}

/** Channels after each halving, from the highest resolution to the lowest. */
export function smallWidths({ width, stride }: Pick<SmallOptions, 'width' | 'stride'>): number[] {
  const levels = Math.log2(stride);
  return Array.from({ length: levels }, (_, level) => Math.max(16, width >> (levels - 1 - level)));
}

/** Which convolutional encoder and decoder: VQGAN's form where `vqgan` is given, otherwise the small one. */
export interface NetworkOptions {
  /** Of the small network: channels at the lowest resolution. */
  readonly width?: number | undefined;
  /** Side of the square of pixels that becomes one token. */
  readonly stride: number;
  readonly residualBlocks: number;
  readonly vqgan?: Omit<VqganOptions, 'residualBlocks'> | undefined;
}

/** Of the small network, where the config says nothing. */
export const SMALL_WIDTH = 64;
