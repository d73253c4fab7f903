import type { ConfigIssue, WiredInput, WiredInputs, WiringIssue } from '../../framework/stage/component.ts';
import type { NestedComponents } from '../../framework/stage/define.ts';
import { expectAtMost, expectDivisor, factOf } from '../../framework/stage/expect.ts';
import { expectSize, seenBy } from '../data/views/expect.ts';
import { checkLayers } from '../perceptual/layers.ts';
import { recipe, type TokenizerTraining, tokensOf } from './config.ts';

/** What is wrong between the fields that every tokenizer has. */
export function checkTokenizer(config: TokenizerTraining, inputs: NestedComponents): ConfigIssue[] {
  const { loss } = config;
  const nothing = loss.pixel === 0 && loss.perceptual === undefined;
  const message = 'must be above 0 where there is no perceptual loss';
  return [
    ...checkLayers(config, inputs),
    ...recipe.check(config),
    ...(nothing ? [{ path: ['loss', 'pixel'], message }] : []),
  ];
}

/** What every tokenizer expects of its data. */
export function expectTokenizable(
  { stride, batchSize, view }: TokenizerTraining,
  { train }: WiredInputs,
): WiringIssue[] {
  return [
    ...expectSize(view, train),
    ...expectDivisor(
      { path: ['stride'], value: stride },
      seenBy(view, train),
      'size',
      'tokens tile an image',
    ),
    ...expectAtMost({ path: ['batchSize'], value: batchSize }, train, 'images'),
  ];
}

/**
 * A threshold above the tokens that a batch has for each code: even if all codes were used equally, they would all be
 * replaced at every step.
 */
export function expectRevivable(
  { stride, batchSize, codebook, view }: TokenizerTraining & { readonly codebook: Revived },
  train: WiredInput | undefined,
): WiringIssue[] {
  const size = factOf(seenBy(view, train), 'size');
  if (size === undefined || size % stride !== 0) return [];
  const tokens = batchSize * tokensOf(size, stride);
  const share = tokens / codebook.size;
  if (codebook.reviveBelow <= share) return [];
  const message = `expected at most ${Number(share.toPrecision(3))}`;
  const hint = `a batch has ${tokens} tokens for ${codebook.size} codes: codes would be replaced at every step even if all were used alike`;
  return [{ path: ['codebook', 'reviveBelow'], message, hint }];
}

interface Revived {
  readonly size: number;
  readonly reviveBelow: number;
}
