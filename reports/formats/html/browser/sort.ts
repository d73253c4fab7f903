/** Makes a button of each column's head: it sorts the rows by the column, then the other way round, then as they were. */
export function makeSortable(table: HTMLTableElement): void {
  const body = table.tBodies[0];
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  if (!body) return;
  const first = [...body.rows];
  for (const [column, head] of heads.entries()) {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const before = head.getAttribute('aria-sort');
      const order = before === 'descending' ? 'ascending' : before === 'ascending' ? undefined : 'descending';
      for (const other of heads) other.removeAttribute('aria-sort');
      if (order) head.setAttribute('aria-sort', order);
      body.append(...(order ? sorted(first, column, order === 'ascending' ? 1 : -1) : first));
    });
  }
}

function sorted(
  rows: readonly HTMLTableRowElement[],
  column: number,
  sign: number,
): readonly HTMLTableRowElement[] {
  const keys = new Map(rows.map((row) => [row, keyOf(row.cells[column])] as const));
  const keyed = rows.filter((row) => keys.get(row) !== '');
  const numeric = keyed.every((row) => !Number.isNaN(Number(keys.get(row))));
  const compare = (a: HTMLTableRowElement, b: HTMLTableRowElement): number => {
    const [one, other] = [keys.get(a) ?? '', keys.get(b) ?? ''];
    return sign * (numeric ? Number(one) - Number(other) : one < other ? -1 : one > other ? 1 : 0);
  };
  // What has no value stays last, whichever way.
  return [...keyed.sort(compare), ...rows.filter((row) => keys.get(row) === '')];
}

function keyOf(cell: HTMLTableCellElement | undefined): string {
  return cell?.dataset.sort ?? cell?.textContent?.trim() ?? '';
}
