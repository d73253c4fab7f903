import type { ConfigIssue, WiredInput, WiredInputs, WiringIssue } from '../../framework/stage/component.ts';
import type { NestedComponents } from '../../framework/stage/define.ts';
import { expectAtMost, expectDivisor, factOf } from '../../framework/stage/expect.ts';
import { expectSize, seenBy } from '../data/views/expect.ts';
import { checkLayers } from '../perceptual/layers.ts';
import { recipe, type TokenizerTraining, tokensOf } from './config.ts';
import type { NetworkOptions } from './networks/options.ts';

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

/** What doesn't fit the kind of network. */
export function checkNetwork({ stride, residualBlocks, width, vqgan }: NetworkOptions): ConfigIssue[] {
  if (!vqgan) return [];
  const issues: ConfigIssue[] = [];
  if (width !== undefined) {
    const hint = 'its channels are `vqgan.channels` times `vqgan.multipliers`: leave `width` out';
    issues.push({ path: ['width'], message: 'is a field of the small network, not of `vqgan`', hint });
  }
  const resolutions = Math.log2(stride) + 1;
  const { length } = vqgan.multipliers;
  if (length !== resolutions) {
    const message = `has ${length} numbers; a stride of ${stride} has ${resolutions} resolutions`;
    const hint = `from that of the image to that of the tokens, half as large each time`;
    issues.push({ path: ['vqgan', 'multipliers'], message, hint });
  }
  if (residualBlocks === 0)
    issues.push({ path: ['residualBlocks'], message: 'must be at least 1 with `vqgan`' });
  return issues;
}

/** A temperature that rises would undo the training. */
export function checkFall({ from, to }: { readonly from: number; readonly to: number }): ConfigIssue[] {
  if (to <= from) return [];
  const message = `must be at most \`from\`, ${from}`;
  return [{ path: ['temperature', 'to'], message, hint: 'it falls from there' }];
}

/** What every tokenizer expects of its data. */
export function expectTokenizable(
  { stride, batchSize, view }: Pick<TokenizerTraining, 'batchSize' | 'view'> & Strided,
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
  { stride, batchSize, codebook, view }: TokenizerTraining & Strided & { readonly codebook: Revived },
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

interface Strided {
  readonly stride: number;
}

interface Revived {
  readonly size: number;
  readonly reviveBelow: number;
}
