import { z } from 'zod';
import { missingCellSchema } from '../../stage/table.ts';
import { eventSchema, failure, tail } from './events.ts';
import {
  difference,
  error,
  eventFiles,
  json,
  key,
  location,
  nearest,
  record,
  resumePoint,
  root,
  smoke,
  stageId,
  status,
} from './parts.ts';

const missing = z.strictObject({
  message: z.string(),
  hint: z.string().nullable(),
  location: location.nullable(),
});

const maybe = z.number().nullable().describe('null: not known');

const costs = z.strictObject({
  parameters: maybe,
  denseFlopsPerImage: maybe,
  convFlopsPerImage: maybe,
  images: maybe,
  memoryBytes: maybe,
});

const plan = z.strictObject({
  experiment: z.string(),
  smoke: smoke.optional(),
  estimatedSeconds: maybe,
  stagesOfUnknownDuration: z.int(),
  missing: z.array(missing),
  roots: z.array(root),
  stages: z.array(
    z.strictObject({
      stage: stageId,
      kind: z.string(),
      seed: z.int(),
      status,
      reason: z.string(),
      needs: z.array(stageId),
      inputKey: z.string().nullable(),
      contentKey: key.optional(),
      estimatedSeconds: maybe.optional(),
      costs: costs.optional(),
      resumesAt: resumePoint.optional(),
      root: stageId.optional().describe('the stage because of which it runs'),
    }),
  ),
});

const why = z.strictObject({
  stage: stageId,
  status,
  reason: z.string(),
  contentKey: key.optional(),
  resumesAt: resumePoint.optional(),
  fingerprint: record.describe('what the key is made of'),
  upstream: z.record(z.string(), stageId),
  pending: z.record(z.string(), stageId),
  nearest,
});

const diff = z.strictObject({
  same: z.int(),
  onlyBefore: z.array(stageId),
  onlyAfter: z.array(stageId),
  different: z.array(
    z.strictObject({
      stage: stageId,
      fields: z.array(difference),
      metrics: z.array(
        z.strictObject({ metric: z.string(), before: z.number().optional(), after: z.number().optional() }),
      ),
    }),
  ),
});

const accept = z.strictObject({
  stages: z.array(
    z.strictObject({
      stage: stageId,
      outcome: z.enum(['accepted', 'stored', 'dropped', 'refused', 'impossible']),
      message: z.string(),
      from: key.optional().describe('the result that it is from now on'),
      differences: z.array(difference),
    }),
  ),
});

const graph = z.strictObject({
  experiment: z.string(),
  stages: z.array(z.strictObject({ stage: stageId, kind: z.string(), seed: z.int(), status })),
  edges: z.array(z.strictObject({ from: stageId, to: stageId, arrow: z.enum(['input', 'order']) })),
});

const exported = z.strictObject({
  stage: stageId,
  key,
  format: z.string(),
  file: z.string(),
  bytes: z.int(),
  load: z.array(z.string()).describe('how another program loads it'),
});

const report = z.strictObject({
  experiment: z.string(),
  cells: z.int(),
  missing: z.array(missingCellSchema),
  files: z.array(z.string()),
  tensorboard: eventFiles.optional(),
});

const show = z.strictObject({
  runs: z.array(z.looseObject({ id: z.string(), status: z.string(), started: z.string() })),
  entries: z.array(
    z.strictObject({
      key,
      kind: z.string(),
      bytes: z.int(),
      ended: json,
      accepted: key.nullable(),
    }),
  ),
  damaged: z.array(json),
  bytes: z.int(),
});

const entry = z.strictObject({
  key,
  kind: z.string(),
  metrics: z.record(z.string(), z.number()),
  outputs: z.array(z.looseObject({ path: z.string(), size: z.int() })),
  provenance: record,
  fingerprint: record.optional(),
  code: json,
});

const collected = z.strictObject({
  key,
  kind: z.string().optional(),
  lastUse: z.number().describe('milliseconds since 1970'),
  size: z.int(),
});

const gc = z.strictObject({
  store: z.string(),
  dryRun: z.boolean(),
  kept: z.strictObject({ entries: z.int(), bytes: z.int() }),
  removed: z.array(collected),
  inUse: z.array(collected),
  objects: z.int(),
  documents: z.int(),
  work: z.int(),
  leftovers: z.int(),
  logs: z.int(),
  freed: z.int(),
});

const setting = z.strictObject({ value: z.union([z.string(), z.number()]), from: z.string() });

const doctor = z.strictObject({
  machine: z.strictObject({
    version: z.string(),
    node: z.string(),
    system: z.string(),
    cpu: z.string(),
    cores: z.int(),
    memory: z.number().describe('GiB'),
    freeMemory: z.number().describe('GiB'),
  }),
  settings: z.looseObject({ root: z.string(), store: setting, results: setting, engine: setting }),
  engines: z.array(z.looseObject({ engine: z.string(), works: z.boolean() })),
  auto: z.string(),
  storeProblem: z.string().optional(),
  healthy: z.boolean(),
});

const describe = z.strictObject({
  components: z.array(
    z.strictObject({
      name: z.string(),
      role: z.string(),
      kind: z.string(),
      doc: z.string().optional(),
      fields: z.array(
        z.strictObject({
          path: z.string(),
          type: z.string(),
          required: z.boolean(),
          default: json.optional(),
          doc: z.string().optional(),
        }),
      ),
    }),
  ),
});

const init = z.strictObject({
  folder: z.string(),
  files: z.array(z.string()),
  kept: z.array(z.string()),
  experiment: z.string(),
  next: z.array(z.string()).describe('commands that make the project ready'),
});

const provision = z.strictObject({
  engine: z.string(),
  folder: z.string().describe('where the library is'),
  version: z.string().describe('of the library'),
  gpu: z.boolean().describe('whether it computes on a GPU'),
});

const task = z.string().describe('of Slurm: number of the job, and index of the task');
const log = z.string();

const inSlurm = z.discriminatedUnion('state', [
  z.strictObject({ stage: stageId, state: z.literal('not submitted') }),
  z.strictObject({ stage: stageId, state: z.literal('waiting'), task, reason: z.string() }),
  z.strictObject({
    ...{ stage: stageId, state: z.literal('running'), task, nodes: z.string(), log },
    progress: z.looseObject({ step: z.number(), of: z.number() }).optional(),
  }),
  z.strictObject({ stage: stageId, state: z.literal('failed'), task, failure, tail, log }),
  z.strictObject({ stage: stageId, state: z.literal('skipped'), because: z.string() }),
]);

/** What commands print with `--json`, by the name of the file that publishes it. */
export const schemas = {
  run: eventSchema.describe('a line of `run --json` and of `show RUN --json`'),
  plan,
  why: z
    .union([why, z.strictObject({ roots: z.array(root) })])
    .describe('one line a stage; without a stage the roots'),
  diff,
  accept,
  graph,
  export: exported,
  report,
  show,
  'show-key': entry,
  status: inSlurm.describe('a line for each stage that has no result'),
  cancel: z.strictObject({ cancelled: z.array(task) }),
  gc,
  doctor,
  provision,
  describe,
  init,
  error: error.describe('what every command prints with --json where it refuses; exit code 2'),
} as const satisfies { readonly [name: string]: z.ZodType };

export type SchemaName = keyof typeof schemas;

/** As JSON Schema, draft 2020-12. */
export function jsonSchemaOf(name: SchemaName): object {
  return { title: `peco-exp: ${name}`, ...z.toJSONSchema(schemas[name], { reused: 'ref' }) };
}
