import { describeCells, distinct } from './cells.ts';
import type { Column } from './config.ts';
import type { CellResult } from './results.ts';
import type { Warning } from './warnings.ts';

/** Reported by the stages of most tasks, for the line that says how many images were measured. */
const countMetric = 'images';

/**
 * Tasks that have results and no column: they returned no metrics, or none that a column of the table shows. Measures of
 * tokenizers may be left out of a table, tasks are declared for it.
 *
 * @param columns all that the table may have, whether flags show them or not
 */
export function unshownTasks(columns: readonly Column[], results: readonly CellResult[]): Warning[] {
  const names = new Set(columns.map(({ metric }) => metric));
  return distinct(results.map(({ task }) => task)).flatMap((task) => {
    const own = results.filter((cell) => cell.task === task);
    const measured = distinct(own.flatMap(({ metrics }) => metricsOf(metrics)));
    const empty = own.filter(({ metrics }) => metricsOf(metrics).length === 0);
    const variants = (cells: readonly CellResult[]) => distinct(cells.map(({ variant }) => variant));
    const whose = task === 'tokenizer' ? 'The evaluation of tokenizers' : `Task ${task}`;
    if (empty.length > 0)
      return [
        {
          variants: variants(empty),
          text: `${whose} returned no metrics for ${describeCells(empty, own)}: its \`run\` has to return { metrics: { name: value } }`,
        },
      ];
    if (task === 'tokenizer' || measured.some((metric) => names.has(metric))) return [];
    return [
      {
        variants: variants(own),
        text: `${whose} measures ${measured.join(', ')}, of which nothing is a column of the table: add { metric: ${JSON.stringify(measured[0])}, label: ... } to \`columns\` of the ablationTable`,
      },
    ];
  });
}

function metricsOf(metrics: CellResult['metrics']): string[] {
  return Object.keys(metrics).filter((name) => name !== countMetric);
}
