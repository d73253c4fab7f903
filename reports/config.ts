import { z } from 'zod';
import { defineComponent } from '../framework/stage/define.ts';

const column = z.strictObject({
  /** Name of the metric in a stage's result. */
  metric: z.string(),
  label: z.string(),
  /** Shown value = value * scale: 100 for shares that are shown in percent. */
  scale: z.number().default(1),
  digits: z.int().min(0).max(10).default(2),
  better: z.enum(['higher', 'lower']).default('higher'),
});

const schema = z.strictObject({
  /** Metrics that become columns, in this order, for every task that has them. */
  columns: z.array(column).default([
    { metric: 'top1', label: 'top-1 %', scale: 100, digits: 2, better: 'higher' },
    { metric: 'codewordTop1', label: 'codeword probe top-1 %', scale: 100, digits: 2, better: 'higher' },
    { metric: 'psnr', label: 'PSNR dB', scale: 1, digits: 2, better: 'higher' },
    { metric: 'usage', label: 'codes used %', scale: 100, digits: 1, better: 'higher' },
    { metric: 'perplexity', label: 'perplexity', scale: 1, digits: 1, better: 'higher' },
  ]),
  /** Adds what the papers report on ImageNet-1K below the table. */
  published: z.boolean().default(true),
});

export type Column = z.output<typeof column>;
export type AblationTableConfig = z.output<typeof schema>;

/** The ablation table: `ablation.csv`, `ablation.md`, `results.csv` and `reconstructions.png`. */
export const ablationTable = defineComponent({
  role: 'report',
  kind: 'ablation-table',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  // It writes text, and a picture in plain JavaScript.
  resources: () => ({ cores: 1 }),
});
