import type { TableConfig } from './results.ts';
import type { Show } from './show-config.ts';

/** What tables in CSV say of the experiment in each row, so that no part can be taken for what it isn't. */
export function remarksOn({ smoke, changes = [] }: TableConfig): readonly string[] {
  return smoke ? ['smoke run: the numbers mean nothing', ...changes] : changes;
}

/** A change of what is shown, which changes no number, as the framework describes it: `report.show.sort: psnr, which ...`. */
const ofShow = /^report\.show(?:\.(\w+))?\b/;

interface Changes {
  /** What of the table is shown by flags, in words. */
  readonly shown: readonly string[];
  /** All other changes, as they are. */
  readonly others: readonly string[];
}

/** @param changes of the experiment by flags, which `show` is the outcome of */
export function splitChanges(changes: readonly string[], show: Show = {}): Changes {
  const fields = Object.keys(words) as (keyof Show)[];
  const changed = fields.filter((field) =>
    changes.some((change) => {
      const found = ofShow.exec(change);
      return found !== null && [field, undefined].includes(found[1] as keyof Show);
    }),
  );
  return {
    shown: changed.map((field) => words[field](show)),
    others: changes.filter((change) => !ofShow.test(change)),
  };
}

const words: { readonly [field in keyof Required<Show>]: (show: Show) => string } = {
  rows: ({ rows }) => (rows ? `Rows: ${rows.join(', ')}` : 'All rows'),
  columns: ({ columns }) => (columns ? `Columns: ${columns.join(', ')}` : 'All columns'),
  sort: ({ sort }) => (sort === undefined ? 'Rows in the order of the experiment' : `Best ${sort} first`),
  precision: ({ precision }) => `Digits after the point: ${precision ?? 'those of each column'}`,
};

/** Lists of changes, each with what to say above it. */
export function changeLists(
  { changes = [] }: TableConfig,
  shown: readonly string[],
): readonly { readonly head: string; readonly lines: readonly string[] }[] {
  const lists = [
    { head: 'Not the experiment as its file declares it. Changed by flags of this run:', lines: changes },
    { head: 'A part of the table, or another order, by flags of this run:', lines: shown },
  ];
  return lists.filter(({ lines }) => lines.length > 0);
}
