import { z } from 'zod';
import type { ConfigIssue, WiredInput, WiringIssue } from '../framework/stage/component.ts';
import { defineComponent } from '../framework/stage/define.ts';
import { suggest } from '../framework/stage/issues.ts';
import type { Metric } from '../framework/stage/metric-names.ts';
import { printable } from '../framework/stage/text.ts';
import { publishedMethods } from './published.ts';
import { expectRows, expectShown, showSchema } from './show-config.ts';
import { usualColumns } from './usual-columns.ts';

const column = z.strictObject({
  /**
   * Name of the metric in a stage's result. Editors complete those of peco-exp's own tasks; whether a task of the experiment
   * has it is for the loader to check, which refuses a name that is nearly one of theirs.
   */
  metric: z.string() as z.ZodType<Metric, Metric>,
  /** Names the column in the table; no two columns have one. */
  label: z.string().regex(/\S/, 'names a column, so it is not empty'),
  /** Value in the table = metric * scale: 100 for shares that are shown in percent. CSV files have the metric itself. */
  scale: z.number().positive().default(1),
  /** After the point, in the table; what would be shown as 0 although it isn't has two significant digits instead. */
  digits: z.int().min(0).max(10).default(2),
  /** Which of two values is the better one. */
  better: z.enum(['higher', 'lower']).default('higher'),
});

export type Column = z.output<typeof column>;

const schema = z.strictObject({
  /** Metrics that become columns, in this order, for every task that has them. */
  columns: z.array(column).default(usualColumns),
  /**
   * Adds what papers report beneath the rows, where a task was measured on the same data with a network of the same size:
   * ImageNet-1K, ViT-B at 224 pixels. Rows that do what a paper does, by name (`{ beit: 'BEiT', peco: 'PeCo' }`), have their
   * difference in the papers beside that in the table.
   */
  published: z.union([z.boolean(), z.record(z.string(), z.enum(publishedMethods))]).default(true),
  /** A part of the table, or another order; flags of `peco-exp report` say it for one time. Absent: all of it. */
  show: showSchema.optional(),
});

export type AblationTableConfig = z.output<typeof schema>;

/**
 * The ablation table as markdown, CSV (a row a variant, and a line a number) and LaTeX, with pictures where stages wrote
 * strips of images. Beside them, what says how the results were made, too: `report.json`, `report.html`, which is one page
 * that works offline, and `history.csv`, the curves of all stages.
 */
export const ablationTable = defineComponent({
  role: 'report',
  kind: 'ablation-table',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  pages: new URL('./pages.ts', import.meta.url).href,
  expects: ({ columns, published, show = {} }, { table }) => [
    ...(typeof published === 'boolean' ? [] : expectRows(Object.keys(published), ['published'], table)),
    ...expectMeasured(columns, table),
    ...expectShown(show, columns, table),
  ],
  check: ({ columns }) => checkLabels(columns.map(({ label }) => printable(label))),
  // It writes text, and a picture in plain JavaScript.
  resources: () => ({ cores: 1 }),
});

/**
 * Metrics that are nearly those of a task, and no task's. Others may be in a list of columns that several experiments have:
 * they become no column.
 */
function expectMeasured(columns: readonly Column[], table: WiredInput | undefined): WiringIssue[] {
  const metrics = table?.facts.metrics as readonly string[] | undefined;
  return columns.flatMap(({ metric }, index) => {
    if (metrics === undefined || [...metrics, ...usualColumns.map((one) => one.metric)].includes(metric))
      return [];
    const hint = suggest(metric, metrics);
    if (!hint?.startsWith('did you mean')) return [];
    return [{ path: ['columns', index, 'metric'], message: 'no task measures it', hint }];
  });
}

/** A reader could not distinguish two columns of one name. */
function checkLabels(labels: readonly string[]): ConfigIssue[] {
  return labels.flatMap((label, index) => {
    const first = labels.indexOf(label);
    if (first === index) return [];
    return [
      {
        path: ['columns', index, 'label'],
        message: `columns ${first} and ${index} are both labelled "${label}"`,
        hint: 'give each column a label of its own',
      },
    ];
  });
}
