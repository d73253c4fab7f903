import type { StageInput } from '../framework/stage/contract.ts';
import { distinct, firstNames } from './cells.ts';
import { readCodebookUse } from './examples.ts';
import type { CellResult } from './results.ts';

/** On what the use of a codebook was counted. */
export interface CountedCodes {
  /** Codes that there are. */
  readonly size: number;
  /** Tokens of test images whose codes were counted; undefined: the evaluation doesn't say. */
  readonly tokens?: number;
  /** Codes that these tokens can use at most. */
  readonly usable: number;
}

/** Of a tokenizer's evaluation; undefined where the number of codes isn't known. */
export async function countedCodes(evaluation: StageInput | undefined): Promise<CountedCodes | undefined> {
  const use = evaluation && (await readCodebookUse(evaluation.dir));
  if (!use) {
    const size = declaredSize(evaluation);
    return size === undefined ? undefined : { size, usable: size };
  }
  const size = use.counts.length;
  const tokens = use.counts.reduce((sum, count) => sum + count, 0);
  return { size, tokens, usable: Math.min(size, tokens) };
}

function declaredSize(evaluation: StageInput | undefined): number | undefined {
  const codebook = evaluation?.inputs.tokenizer?.config.codebook;
  const size =
    typeof codebook === 'object' && codebook !== null && 'size' in codebook ? codebook.size : undefined;
  return typeof size === 'number' ? size : undefined;
}

/** Of rows whose codes are more than the tokens that were counted: a share of used codes says little then. */
export async function describeCounted(
  results: readonly CellResult[],
  inputs: { readonly [name: string]: StageInput },
): Promise<string[]> {
  const measured = results.filter(({ metrics }) => Object.hasOwn(metrics, 'usage'));
  const lines = await Promise.all(
    measured.map(async ({ input, variant }) => {
      const { size, tokens, usable } = (await countedCodes(inputs[input])) ?? {};
      if (tokens === undefined || usable === size) return [];
      return [
        {
          variant,
          text: `counted on ${number(tokens)} tokens, which can use ${number(tokens)} of ${number(size!)} at most`,
        },
      ];
    }),
  );
  const all = lines.flat();
  return distinct(all.map(({ text }) => text)).map((text) => {
    const rows = distinct(all.filter((one) => one.text === text).map(({ variant }) => variant));
    return `Codes of ${firstNames(rows)}: ${text}`;
  });
}

const number = (value: number) => value.toLocaleString('en-US');
