import { formatSigned, formatValue } from '../../format.ts';
import type { Report } from '../../report.ts';
import type { AblationTable, TableCell, TableColumn } from '../../table.ts';
import { name, text } from './markup.ts';

/** The table, how to read it, and what its numbers rest on. */
export function resultsHtml({ config, table, facts, published }: Report): string {
  const missing = config.missing.filter(({ dropped }) => !dropped);
  return `${tableHtml(table)}
<p>${captionOf(table)}</p>
${listHtml(
  'Missing',
  missing.map(({ variant, task, seed, reason }) => {
    return `${name(variant)}, ${name(task)}, seed ${seed}: ${text(reason)}`;
  }),
)}
${listHtml('What the numbers rest on', facts.map(name))}
${listHtml(
  'Published results, for orientation only: comparable where data, network and schedule are the same',
  published.map(({ method, setting, top1, source }) =>
    text(`${method}: top-1 ${top1} % (${setting}; ${source})`),
  ),
)}`;
}

/** Longer lists are folded. */
const mostItems = 8;

function listHtml(title: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  const list = `<ul>\n${items.map((item) => `<li>${item}</li>`).join('\n')}\n</ul>`;
  if (items.length > mostItems)
    return `<details><summary>${text(title)} <small>(${items.length})</small></summary>${list}</details>`;
  return `<h3>${text(title)}</h3>\n${list}`;
}

function tableHtml({ columns, rows }: AblationTable): string {
  const head = columns.map(({ title, better }) => {
    const arrow = better === 'higher' ? '↑' : '↓';
    return `<th scope="col" class="number">${name(title)} <span aria-hidden="true">${arrow}</span><span class="unseen">, ${better} is better</span></th>`;
  });
  const body = rows.map(({ variant, baseline, dropped, cells }) => {
    const own = variant === baseline ? ` <small>(baseline)</small>` : '';
    const why = dropped === undefined ? '' : `<br><small>${text(dropped)}</small>`;
    const fields = cells.map((cell, index) => (cell ? cellHtml(cell, columns[index]) : emptyHtml(dropped)));
    const head = `<th scope="row" data-sort="${text(variant)}">${name(variant)}${own}${why}</th>`;
    return `<tr${own === '' ? '' : ' class="baseline"'}>${head}${fields.join('')}</tr>`;
  });
  return `<div class="wide" role="region" aria-label="Table of results" tabindex="0">
<table class="sortable results">
<caption class="unseen">A row a variant, a column a metric</caption>
<thead><tr><th scope="col">variant</th>${head.join('')}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table>
</div>`;
}

function emptyHtml(dropped: string | undefined): string {
  return `<td class="number" data-sort="">${dropped === undefined ? '–' : 'dropped'}</td>`;
}

function cellHtml(cell: TableCell, column: TableColumn): string {
  const { scale, digits } = column;
  const mean = formatValue(cell.mean * scale, digits);
  const value = cell.best ? `<strong>${mean}</strong>` : mean;
  const own = `${value}${spread(cell.deviation, column)} <small>(${cell.n})</small>`;
  const shared =
    cell.n > 1 && cell.shared.length > 0 ? `<br><small>one ${text(cell.shared.join(', '))}</small>` : '';
  return `<td class="number" data-sort="${cell.mean}">${own}${differenceHtml(cell, column)}${shared}</td>`;
}

function differenceHtml({ n, difference }: TableCell, column: TableColumn): string {
  if (!difference) return '';
  const { scale, digits } = column;
  const signed = (value: number) => formatSigned(value * scale, digits);
  const pairs = difference.n < n ? ` (${difference.n} of ${n})` : '';
  const interval = difference.interval
    ? `<br><small>95 %: ${signed(difference.interval[0])} to ${signed(difference.interval[1])}</small>`
    : '';
  const mean = `${signed(difference.mean)}${spread(difference.deviation, column)}${pairs}`;
  return `<br><span class="difference">${mean}</span>${interval}`;
}

function spread(deviation: number | undefined, { scale, digits }: TableColumn): string {
  return deviation === undefined ? '' : ` ± ${formatValue(deviation * scale, digits)}`;
}

function captionOf({ rows }: AblationTable): string {
  const cells = rows.flatMap((row) => row.cells.flatMap((cell) => cell ?? []));
  return [
    'Mean ± sample standard deviation over seeds (number of seeds).',
    cells.some(({ difference }) => difference)
      ? 'Below it the difference to the baseline at equal seeds, and the 95 % interval of its mean (Student’s t).'
      : '',
    cells.some(({ best }) => best) ? 'Bold: best of the column as shown, among rows with all seeds.' : '',
  ]
    .filter((line) => line !== '')
    .join(' ');
}
