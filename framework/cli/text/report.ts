import type { EventFiles } from '../../run/record/events.ts';
import type { MissingCell } from '../../stage/table.ts';
import { printable } from '../../stage/text.ts';
import { count, formatEventFiles, formatFiles } from './format.ts';
import { type Look, plainLook } from './look.ts';

/** What `peco-exp report` made; `--json` prints it as it is. */
export interface Rebuilt {
  readonly experiment: string;
  /** Cells of the table that have numbers, each a variant, a task and a seed. */
  readonly cells: number;
  readonly missing: readonly MissingCell[];
  /** Absolute paths, the report's first. */
  readonly files: readonly string[];
  /** Event files, where they were asked for: the folder of all, and how many there are. */
  readonly tensorboard?: EventFiles;
}

/** What the tables are made of, what they lack and why, and where they are. */
export function formatRebuilt(
  { experiment, cells, missing, files, tensorboard }: Rebuilt,
  showPath: (file: string) => string,
  look: Look = plainLook,
): string[] {
  const open = missing.filter(({ dropped }) => !dropped);
  const dropped = missing.length - open.length;
  const parts = [`${count(cells, 'cell')} stored`];
  if (open.length > 0) parts.push(`${open.length} missing`);
  if (dropped > 0) parts.push(`${dropped} dropped by halving`);
  const reasons = [...new Set(open.map(({ reason }) => reason))];
  return [
    `${experiment}: ${parts.join(', ')}; nothing ran`,
    ...reasons.slice(0, mostReasons).map((reason) => `  missing: ${printable(reason)}`),
    ...(reasons.length > mostReasons ? [`  and ${reasons.length - mostReasons} more`] : []),
    ...formatFiles(files, showPath, look),
    ...formatEventFiles(tensorboard, showPath),
  ];
}

const mostReasons = 5;
