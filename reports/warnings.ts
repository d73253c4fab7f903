import type { StageInput } from '../framework/stage/contract.ts';
import { describeCells, distinct } from './cells.ts';
import { type CountedCodes, countedCodes } from './counted-codes.ts';
import type { CellResult, TableConfig } from './results.ts';

/** What speaks against numbers of a row although they are there. */
export interface Warning {
  readonly variants: readonly string[];
  /** A sentence without its full stop, which names the rows. */
  readonly text: string;
}

/** A codebook has collapsed if test images use a smaller share of the codes that so many tokens can use. */
const leastUsage = 0.1;
/** The same of the perplexity of the codes, as a share of their number. */
const leastPerplexity = 0.05;

interface Measured extends CountedCodes {
  readonly cell: CellResult;
  /** Codes that test images use. */
  readonly used: number;
  readonly perplexity: number;
}

/** Rows whose tokenizers use next to none of their codes, by the metrics `usage` and `perplexity` of their measures. */
export async function warningsOf(
  { smoke }: TableConfig,
  results: readonly CellResult[],
  inputs: { readonly [name: string]: StageInput },
): Promise<Warning[]> {
  // A smoke run has a handful of codes, and its numbers mean nothing.
  if (smoke) return [];
  const measured = (await Promise.all(results.map((cell) => measuredOf(cell, inputs[cell.input])))).flat();
  const collapsed = measured.filter(
    ({ usable, used, perplexity }) => used < leastUsage * usable || perplexity < leastPerplexity * usable,
  );
  return distinct(collapsed.map(({ cell }) => cell.variant)).map((variant) => {
    const own = collapsed.filter(({ cell }) => cell.variant === variant);
    const cells = describeCells(
      own.map(({ cell }) => cell),
      measured.map(({ cell }) => cell),
    );
    const used = own.map((one) => one.used).join(' and ');
    const perplexities = own.map(({ perplexity }) => perplexity.toFixed(1)).join(' and ');
    const of = own[0].size.toLocaleString('en-US');
    return {
      variants: [variant],
      text: `The codebook of ${cells} has collapsed: test images use ${used} of ${of} codes, with a perplexity of ${perplexities} (${limitText(own[0])})`,
    };
  });
}

async function measuredOf(cell: CellResult, evaluation: StageInput | undefined): Promise<Measured[]> {
  const { usage, perplexity } = cell.metrics;
  if (usage === undefined || perplexity === undefined) return [];
  const counted = await countedCodes(evaluation);
  return counted ? [{ ...counted, cell, used: Math.round(usage * counted.size), perplexity }] : [];
}

/** Which limits are meant. */
function limitText({ size, tokens, usable }: CountedCodes): string {
  const [least, few] = [`${100 * leastUsage} %`, `${100 * leastPerplexity} %`];
  return usable === size
    ? `below ${least} of the codes, or a perplexity below ${few} of their number`
    : `below ${least} of what ${tokens!.toLocaleString('en-US')} tokens can use, or a perplexity below ${few} of it`;
}
