/**
 * Reads CSV as the strictest readers do, written from RFC 4180: any end of line outside quotes ends a record, quotes
 * stand around a whole field, white space around one that has none is dropped.
 */
export function parseCsv(text: string): string[][] {
  const field =
    /(?:"((?:[^"]|"")*)"|([^",\v\f\r\n\u0085\u2028\u2029]*))(,|\r\n|[\v\f\r\n\u0085\u2028\u2029])/y;
  const records: string[][] = [[]];
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const [, quoted, bare, end] = field.exec(text) ?? [];
    if (end === undefined)
      throw new SyntaxError(`no field at ${at}: ${JSON.stringify(text.slice(at, at + 40))}`);
    records.at(-1)?.push(quoted === undefined ? bare.trim() : quoted.replaceAll('""', '"'));
    if (end !== ',') records.push([]);
  }
  return records.slice(0, -1);
}

/** Text of a field as it was before it was kept from being a formula. */
export function unguarded(field: string): string {
  return field.startsWith("'") ? field.slice(1) : field;
}
