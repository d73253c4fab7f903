import type { Experiment } from '../experiment/types.ts';

/** Names of variants that an experiment can have, as far as the compiler can know: sweeps add `@field=value`. */
export type VariantOf<E extends Experiment> =
  | Row<keyof E['tokenizers'] & string, keyof E['pretraining'] & string>
  | (E extends { readonly scratch: object } ? 'scratch' | `scratch@${string}` : never);

/** Names of tasks in cells: downstream tasks, and `tokenizer` for the measures of tokenizers. */
export type TaskOf<E extends Experiment> = (keyof E['downstream'] & string) | 'tokenizer';

type Row<Tokenizer extends string, Pretraining extends string> =
  | Tokenizer
  | `${Tokenizer}@${string}`
  | `${Tokenizer}/${Pretraining}`
  | `${Tokenizer}/${Pretraining}@${string}`;
