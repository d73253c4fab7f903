import { PecoError } from '../stage/errors.ts';

// Sites print more around what Slurm says, and what a user wrote into a job, its comment for one, may have several lines.

/** What lines of ours begin with. */
const mark = 'peco-exp';

/** `peco-exp|%F|%K`: for `--format` of squeue and sinfo, without `--noheader`. */
export function markedFormat(fields: string): string {
  return `--format=${mark}|${fields}`;
}

/**
 * Fields of the lines of an answer in a `markedFormat`. Slurm's own head above them, one for each cluster, proves that this
 * is such an answer, also where it has no line.
 *
 * @throws PecoError `slurm` for an answer without a head: nothing may be taken for absent then
 */
export function markedRows(tool: 'squeue' | 'sinfo', text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith(`${mark}|`));
  const [head, ...rest] = lines;
  if (head === undefined)
    throw new PecoError(`${tool}: can't read its answer "${text.trim().slice(0, 200)}"`, {
      code: 'slurm',
      hint: `it is not in the format that was asked for: does a program of the site stand before ${tool}?`,
    });
  return rest.filter((line) => line !== head).map((line) => line.trimEnd().split('|').slice(1));
}

/** Fields of those lines of `--parsable2` that have as many as were asked for. */
export function rowsOf(text: string, fields: number): string[][] {
  const rows = text.split('\n').map((line) => line.trim().split('|'));
  return rows.filter((row) => row.length === fields);
}
