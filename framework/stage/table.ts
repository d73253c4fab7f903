import { z } from 'zod';

/** Which stage has the numbers of a variant, a task and a seed. */
export interface CellPlace {
  readonly variant: string;
  readonly task: string;
  readonly seed: number;
  /** Name of the report's input. */
  readonly input: string;
}

/** A cell of the table that has no result, and why. */
export interface MissingCell {
  readonly variant: string;
  readonly task: string;
  readonly seed: number;
  readonly reason: string;
  /** A halved sweep dropped the row. */
  readonly dropped?: boolean;
}

/** The same in the schemas of what is JSON. */
export const missingCellSchema = z.strictObject({
  variant: z.string(),
  task: z.string(),
  seed: z.int(),
  reason: z.string(),
  dropped: z.boolean().optional(),
});

/** The part of a report's config that the framework writes, as `table`. */
export interface TableConfig {
  readonly experiment: string;
  readonly baseline: string;
  /** Where a sweep changes the baseline: the row that each row is compared with; null if that is several. */
  readonly baselineOf?: { readonly [variant: string]: string | null };
  readonly variants: readonly string[];
  readonly cells: readonly CellPlace[];
  readonly missing: readonly MissingCell[];
  /** How the experiment differs from the one in its file, by flags of the run, in words; absent if it doesn't. */
  readonly changes?: readonly string[];
  /** Of a smoke run: its numbers mean nothing. */
  readonly smoke?: boolean;
  /** Stages that ran once for all seeds of a row's task, such as `tokenizer/peco`; absent: there are none. */
  readonly shared?: readonly {
    readonly variant: string;
    readonly task: string;
    readonly stages: readonly string[];
  }[];
}
