import { defineComponent } from 'peco-exp';
import { z } from 'zod';

const schema = z.strictObject({
  caption: z.string(),
  /** Metrics that become columns, for every task that has them. */
  metrics: z.array(z.string()).min(1).default(['top1']),
});

export type LatexTableConfig = z.output<typeof schema>;

/** The table as LaTeX: `ablation.tex`. */
export const latexTable = defineComponent({
  role: 'report',
  kind: 'latex-table',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
});
