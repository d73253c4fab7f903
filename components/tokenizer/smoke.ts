import type { SmokeChanges, SmokeContext } from '../../framework/stage/component.ts';
import { factOf } from '../../framework/stage/expect.ts';
import { smokeView } from '../data/smoke.ts';
import { smokeGeometry } from '../nn/smoke.ts';
import { type Recipe, smokeRecipe } from '../training/recipe.ts';
import type { TokenizerTraining } from './config.ts';
import type { NetworkOptions } from './networks/options.ts';

const width = 16;
const residualBlocks = 1;
const codes = 16;
const codeLength = 8;

/** What every convolutional tokenizer is in a smoke run. */
export function smokeTokenizer(
  config: Recipe &
    Pick<TokenizerTraining, 'view'> &
    NetworkOptions & { readonly codebook: { readonly size: number; readonly dim: number } },
  { inputs }: SmokeContext,
): SmokeChanges {
  const { view, stride, codebook, vqgan } = config;
  const seen = view.size ?? factOf(inputs.train, 'size');
  const smaller = smokeGeometry({ size: seen ?? 0, stride });
  return {
    ...smokeRecipe(config),
    ...(vqgan ? { vqgan: smokeVqgan(smaller.stride) } : { width }),
    residualBlocks: Math.min(config.residualBlocks, residualBlocks),
    stride: smaller.stride,
    codebook: { size: Math.min(codebook.size, codes), dim: Math.min(codebook.dim, codeLength) },
    view: smokeView(view, smaller.size),
  };
}

/** One multiplier for each resolution; the last differs, so that a shortcut has other channels than its block. */
function smokeVqgan(stride: number): SmokeChanges {
  const levels = Math.log2(stride);
  return { channels: 32, multipliers: [...Array<number>(levels).fill(1), 2], latent: 32 };
}
