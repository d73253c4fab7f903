import type { VitConfig } from './config.ts';

/** Units of the MLP between its two layers. */
export function hiddenOf({ dim, mlpRatio }: Pick<VitConfig, 'dim' | 'mlpRatio'>): number {
  return Math.round(dim * mlpRatio);
}

/** Rows of a table of relative positions for side * side patches: one for each distance, and three for the class token. */
export function relativeRows(side: number): number {
  return (2 * side - 1) ** 2 + 3;
}

/** Up to so many tokens the probabilities of attention are kept for the backward pass; of more they are computed again there. */
export const mostKeptTokens = 1024;
