import { captionOf, countText, pairsText, shownImages } from '../../caption.ts';
import type { TableCell } from '../../column.ts';
import type { Published } from '../../comparable.ts';
import { formatEnds, formatSigned, formatSpread, formatValue } from '../../format.ts';
import { publishedCell, publishedHead, publishedName, publishedSentences } from '../../published-text.ts';
import type { Report } from '../../report.ts';
import type { AblationTable, TableColumn } from '../../table.ts';
import { name, text } from './markup.ts';

/** The table, how to read it, and what its numbers rest on. */
export function resultsHtml({ config, table, warnings, facts, published }: Report): string {
  const missing = config.missing.filter(({ dropped }) => !dropped);
  return `${tableHtml(table, published)}
<p>${text(captionOf(table, 'beside').join(' '))}</p>
${warnings.map((warning) => `<p class="notice"><strong>Warning:</strong> ${name(warning.text)}.</p>\n`).join('')}${listHtml(
  'Missing',
  missing.map(({ variant, task, seed, reason }) => {
    return `${name(variant)}, ${name(task)}, seed ${seed}: ${text(reason)}`;
  }),
)}
${listHtml('What the numbers rest on', facts.map(name))}
${listHtml('Published results', publishedSentences(published, table).map(name))}`;
}

/** Longer lists are folded. */
const mostItems = 8;

function listHtml(title: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  const list = `<ul>\n${items.map((item) => `<li>${item}</li>`).join('\n')}\n</ul>`;
  if (items.length > mostItems)
    return `<details class="list"><summary>${text(title)} <small>(${items.length})</small></summary>${list}</details>`;
  return `<h3>${text(title)}</h3>\n${list}`;
}

function tableHtml({ columns, rows }: AblationTable, published: Published): string {
  const head = columns.map(({ title, better }) => {
    const arrow = better === 'higher' ? '↑' : '↓';
    return `<th scope="col" class="number">${name(title)}&nbsp;<span aria-hidden="true">${arrow}</span><span class="unseen">, ${better} is better</span></th>`;
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
${publishedHtml(published, columns)}</table>
</div>`;
}

/** A body of its own beneath a rule, which is not sorted. */
function publishedHtml({ rows }: Published, columns: readonly TableColumn[]): string {
  if (rows.length === 0) return '';
  const body = rows.map((row) => {
    const cells = row.cells.map((number, place) => publishedCell(number, columns[place]) ?? '–');
    return `<tr><th scope="row">${text(publishedName(row))}</th>${cells.map((cell) => `<td class="number">${cell}</td>`).join('')}</tr>`;
  });
  return `<tbody class="published">
<tr><th scope="rowgroup" colspan="${columns.length + 1}">${publishedHead}</th></tr>
${body.join('\n')}
</tbody>
`;
}

function emptyHtml(dropped: string | undefined): string {
  return `<td class="number" data-sort="">${dropped === undefined ? '–' : 'dropped'}</td>`;
}

function cellHtml(cell: TableCell, column: TableColumn): string {
  const { scale, digits } = column;
  const mean = formatValue(cell.mean * scale, digits);
  const value = cell.best ? `<strong>${mean}</strong>` : mean;
  const own = `${value}${formatSpread(cell.deviation, column)} <small>(${text(countText(cell))})</small>`;
  const shared =
    cell.n > 1 && cell.shared.length > 0 ? `<br><small>one ${text(cell.shared.join(', '))}</small>` : '';
  return `<td class="number" data-sort="${cell.mean}">${own}${differenceHtml(cell, column)}${shared}</td>`;
}

function differenceHtml(cell: TableCell, column: TableColumn): string {
  const { n, difference } = cell;
  if (!difference) return '';
  const { scale, digits } = column;
  const images = shownImages(cell, 'beside');
  const intervals = [
    ...(difference.interval ? [`[${formatEnds(difference.interval, column)}]`] : []),
    ...(images ? [`{${formatEnds(images, column)}}`] : []),
  ].map((interval) => `<br><small>${interval}</small>`);
  const mean = `${formatSigned(difference.mean * scale, digits)}${difference.significant ? '*' : ''}`;
  const pairs = difference.n < n ? ` (${pairsText(cell)})` : '';
  return `<br><span class="difference">${mean}${pairs}</span>${intervals.join('')}`;
}
