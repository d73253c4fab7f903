import { stringify } from 'csv-stringify/sync';

export type CsvValue = string | number | undefined;

/**
 * CSV as RFC 4180 has it, with `\n` between records. Numbers have all their digits, so that reading them gives the same
 * numbers; undefined is an empty field. Text is quoted wherever some reader would end the field or the line, or trim it.
 *
 * A spreadsheet takes text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula. Such text gets
 * an apostrophe in front, as does text that begins with an apostrophe: without the first apostrophe it is as it was.
 */
export function formatCsv(rows: readonly (readonly CsvValue[])[]): string {
  return stringify(rows as CsvValue[][], {
    quoted_match: /^\s|\s$|[\v\f\r\n\u0085\u2028\u2029]/,
    cast: {
      string: (text) => (/^['=+\-@\t\r]/.test(text) ? `'${text}` : text),
      number: (value) => ({ value: Object.is(value, -0) ? '-0' : String(value) }),
    },
  });
}
