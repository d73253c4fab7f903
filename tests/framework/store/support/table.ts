import fs from 'node:fs';
import type { ExecutionContext } from 'ava';

import type { Row } from './matrix.ts';

const file = new URL('../../../../docs/evidence/faults.md', import.meta.url);

/**
 * Compares a part of faults.md with what a test found; with `UPDATE=1` in the environment it is written instead (one
 * test file at a time).
 */
export function checkSection(t: ExecutionContext, name: string, text: string): void {
  const found = readSection(name);
  if (process.env.UPDATE === '1') {
    const all = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(
      file,
      all.replace(found.whole, () => `${found.start}\n\n${text}\n\n${found.end}`),
    );
    t.pass();
    return;
  }
  t.is(found.text, text, 'faults.md is out of date: UPDATE=1 npx ava FILE');
}

export function readSection(name: string) {
  const all = fs.readFileSync(file, 'utf8');
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [all.indexOf(start), all.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`faults.md has no part "${name}"`);
  const whole = all.slice(from, to + end.length);
  return { start, end, whole, text: all.slice(from + start.length, to).trim() };
}

/** A markdown table. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export interface ScenarioResult {
  readonly name: string;
  readonly calls: number;
  readonly rows: readonly Row[];
}

/** One row a scenario and fault; the last is the sum. */
export function formatCalls(results: readonly ScenarioResult[]): string {
  const rows = results.flatMap(({ name, calls, rows }) =>
    rows.map(({ fault, cases, hits, silent, errors, kept }) => [
      name,
      calls,
      fault,
      cases,
      hits,
      cases - hits,
      silent,
      errors,
      kept,
    ]),
  );
  const sums = [3, 4, 5, 6, 7, 8].map((column) => rows.reduce((sum, row) => sum + Number(row[column]), 0));
  const head = [
    'what',
    'calls',
    'fault',
    'cases',
    'found after',
    'not found after',
    'done all the same',
    'one error',
    'outputs kept',
  ];
  return formatTable(head, [...rows, ['all', '', '', ...sums]]);
}
