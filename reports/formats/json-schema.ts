import { z } from 'zod';
import { missingCellSchema } from '../../framework/stage/table.ts';
import { publishedMethods } from '../published.ts';

/** A number that a statistic doesn't have: of one seed there is no spread. */
const maybe = z.number().nullable();

const ends = z.tuple([z.number(), z.number()]);

const difference = z.strictObject({
  mean: z.number(),
  deviation: maybe,
  n: z.int().describe('pairs: seeds that both rows have'),
  interval: ends.nullable().describe('ends of the 95 % interval of the mean over seeds, by Student’s t'),
  p: maybe.describe('of the two-sided paired t test over seeds'),
  images: z
    .strictObject({
      interval: ends.describe(
        'ends of the 95 % interval, by a percentile bootstrap of the test images, paired',
      ),
      p: z.number().describe('two-sided, of the same bootstrap'),
      images: z.int().describe('of the test'),
      resamples: z.int().describe('test sets that were drawn from them'),
    })
    .nullable()
    .describe('the noise of the test images alone; null unless stages stored by what it can be told'),
  corrected: maybe.describe('the larger p value, corrected by Holm for the rows of the column'),
  significant: z.boolean().describe('`corrected` is below 0.05'),
});

const cell = z.strictObject({
  mean: z.number(),
  deviation: maybe.describe('sample standard deviation over seeds'),
  n: z.int().describe('seeds'),
  best: z.boolean().describe('best of its column as shown, among rows with all seeds, and beyond the noise'),
  shared: z.array(z.string()).describe('stages that ran once for all seeds: then there is no spread'),
  difference: difference.nullable().describe('to the baseline, paired by seed'),
});

const published = z.strictObject({
  rows: z
    .array(
      z.strictObject({
        method: z.enum(publishedMethods),
        epochs: z.int().describe('of pretraining'),
        cells: z
          .array(
            z
              .strictObject({
                value: z.number(),
                sure: z
                  .enum(['paper', 'quoted'])
                  .describe('read in the paper or its code, or in another paper that quotes it'),
                source: z.string(),
              })
              .nullable(),
          )
          .describe('in the order of the columns'),
      }),
    )
    .describe('of papers, for columns that were measured on the same data at the same size'),
  differences: z.array(
    z.strictObject({
      variant: z.string(),
      baseline: z.string(),
      methods: z.tuple([z.enum(publishedMethods), z.enum(publishedMethods)]),
      column: z.int().describe('its place among the columns'),
      here: z.number(),
      papers: z.array(z.strictObject({ epochs: z.int(), difference: z.number() })),
    }),
  ),
});

const stage = z.strictObject({
  id: z.string(),
  role: z.string(),
  kind: z.string(),
  seed: z.int(),
  config: z.record(z.string(), z.json()),
  needs: z.array(z.string()).describe('ids of the stages that it waits for'),
  cells: z.array(z.strictObject({ variant: z.string(), task: z.string() })),
  state: z.enum(['stored', 'missing', 'dropped']),
  reason: z.string().nullable().describe('why there is no result'),
  key: z.string().nullable().describe('of its result, for `peco-exp show KEY`'),
  provenance: z
    .record(z.string(), z.json())
    .nullable()
    .describe('how its result was made: seconds, engine, host, commit, ...'),
});

/** `report.json`. Values are as stages reported them: a column shows `value * scale`. */
export const reportSchema = z
  .strictObject({
    what: z.literal('report of peco-exp'),
    format: z.literal(1),
    experiment: z.string(),
    baseline: z.string(),
    smoke: z.boolean().describe('of a smoke run: the numbers mean nothing'),
    changes: z.array(z.string()).describe('how the experiment differs from its file'),
    command: z.array(z.string()).describe('arguments of peco-exp that make the same results'),
    version: z.string().nullable().describe('of peco-exp'),
    columns: z.array(
      z.strictObject({
        task: z.string(),
        metric: z.string(),
        title: z.string(),
        scale: z.number(),
        digits: z.int(),
        better: z.enum(['higher', 'lower']),
      }),
    ),
    rows: z.array(
      z.strictObject({
        variant: z.string(),
        baseline: z.string().nullable().describe('the row that it is compared with'),
        dropped: z.string().nullable().describe('why a halved sweep dropped it'),
        cells: z.array(cell.nullable()).describe('in the order of the columns'),
      }),
    ),
    missing: z.array(missingCellSchema),
    values: z.array(
      z.strictObject({
        variant: z.string(),
        task: z.string(),
        seed: z.int(),
        engine: z
          .string()
          .describe('`onnx`, or `onnx, from step 60 tensorflow:bf16`: it computed the steps of the stage'),
        metrics: z.record(z.string(), z.number()),
      }),
    ),
    warnings: z
      .array(z.strictObject({ variant: z.string(), text: z.string() }))
      .describe(
        'rows whose numbers are to be doubted, such as those of a collapsed codebook, or missing; each of the rows of a text',
      ),
    published,
    facts: z.array(z.string()),
    stages: z.array(stage),
  })
  .meta({ title: 'report.json of peco-exp' });

export type ReportJson = z.output<typeof reportSchema>;

/** As JSON Schema: `docs/reference/report.schema.json`. */
export function reportJsonSchema(): object {
  return z.toJSONSchema(reportSchema);
}
