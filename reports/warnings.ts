import type { StageInput } from '../framework/stage/contract.ts';
import { describeCells, distinct } from './cells.ts';
import type { CellResult, TableConfig } from './results.ts';

/** What speaks against numbers of a row although they are there. */
export interface Warning {
  readonly variant: string;
  /** A sentence without its full stop, which names the row. */
  readonly text: string;
}

/** A codebook of which test images use a smaller share of the codes has collapsed. */
const leastUsage = 0.1;
/** The same of the perplexity of the codes, as a share of their number. */
const leastPerplexity = 0.05;

/** Rows whose tokenizers use next to none of their codes, by the metrics `usage` and `perplexity` of their measures. */
export function warningsOf(
  { smoke }: TableConfig,
  results: readonly CellResult[],
  inputs: { readonly [name: string]: StageInput },
): Warning[] {
  // A smoke run has a handful of codes, and its numbers mean nothing.
  if (smoke) return [];
  const measured = results.flatMap((cell) => {
    const { usage, perplexity } = cell.metrics;
    const size = codebookSize(inputs[cell.input]);
    return size === undefined || usage === undefined || perplexity === undefined
      ? []
      : [{ cell, size, usage, perplexity }];
  });
  const collapsed = measured.filter(
    ({ size, usage, perplexity }) => usage < leastUsage || perplexity < leastPerplexity * size,
  );
  return distinct(collapsed.map(({ cell }) => cell.variant)).map((variant) => {
    const own = collapsed.filter(({ cell }) => cell.variant === variant);
    const cells = describeCells(
      own.map(({ cell }) => cell),
      measured.map(({ cell }) => cell),
    );
    const used = own.map(({ usage, size }) => Math.round(usage * size)).join(' and ');
    const perplexities = own.map(({ perplexity }) => perplexity.toFixed(1)).join(' and ');
    const of = own[0].size.toLocaleString('en-US');
    return {
      variant,
      text: `The codebook of ${cells} has collapsed: test images use ${used} of ${of} codes, with a perplexity of ${perplexities} (below ${100 * leastUsage} % of the codes, or a perplexity below ${100 * leastPerplexity} % of their number)`,
    };
  });
}

function codebookSize(evaluation: StageInput | undefined): number | undefined {
  const codebook = evaluation?.inputs.tokenizer?.config.codebook;
  const size =
    typeof codebook === 'object' && codebook !== null && 'size' in codebook ? codebook.size : undefined;
  return typeof size === 'number' ? size : undefined;
}
