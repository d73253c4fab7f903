/** The form of DALL-E's discrete VAE (Ramesh et al. 2021, appendix A.1; openai/DALL-E, encoder.py and decoder.py). */
export interface DalleForm {
  /** Channels at the highest resolution; twice as many at each lower one. DALL-E: 256. */
  readonly width: number;
  /** 4, 8 or 16: side of the square of pixels that becomes one token. DALL-E: 8. */
  readonly stride: number;
  /** Of each resolution. DALL-E: 2. */
  readonly residualBlocks: number;
  readonly codebook: {
    /** DALL-E: 8,192. */
    readonly size: number;
    /** Channels in front of the decoder's first block. DALL-E: 128. */
    readonly dim: number;
  };
}

/** A residual block: four convolutions, the inner ones with a quarter of the outputs as channels. */
export interface DalleBlock {
  /** Names of group and block, counted from 1 as in the official code. */
  readonly group: string;
  readonly block: string;
  readonly inputs: number;
  readonly outputs: number;
}

/** Of the encoder from the first block on, or of the decoder: names as in the official code. */
export type DalleSide = 'encoder' | 'decoder';

/** Sides of the four kernels of a block. */
export const KERNELS: { readonly [side in DalleSide]: readonly number[] } = {
  encoder: [3, 3, 3, 1],
  decoder: [1, 3, 3, 3],
};

/** Resolutions, from that of the image to that of the tokens. */
export function groupCount({ stride }: Pick<DalleForm, 'stride'>): number {
  return Math.log2(stride) + 1;
}

/** Channels of the encoder's groups; the decoder has them in reverse. */
function widths({ width, stride }: DalleForm): number[] {
  return Array.from({ length: groupCount({ stride }) }, (_, group) => width * 2 ** group);
}

/** All blocks of a side in order. */
export function dalleBlocks(form: DalleForm, side: DalleSide): DalleBlock[] {
  const outputs = side === 'encoder' ? widths(form) : widths(form).reverse();
  let inputs = side === 'encoder' ? form.width : form.codebook.dim;
  return outputs.flatMap((channels, group) =>
    Array.from({ length: form.residualBlocks }, (_, index) => {
      const block = { group: String(group + 1), block: String(index + 1), inputs, outputs: channels };
      inputs = channels;
      return block;
    }),
  );
}

/** What a block's residual path is multiplied by: 1 / (number of blocks)^2. */
export function postGain(form: DalleForm): number {
  return 1 / (groupCount(form) * form.residualBlocks) ** 2;
}

/** Channels of a pixel of the decoder's output: location and log scale of the three colours. */
export const OUTPUT_CHANNELS = 6;
