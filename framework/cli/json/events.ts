import { z } from 'zod';
import type { RunEvent } from '../../run/record/events.ts';
import {
  change,
  error,
  eventFiles,
  json,
  key,
  location,
  resumePoint,
  smoke,
  stageId,
  status,
} from './parts.ts';

export const failure = z.strictObject({
  message: z.string(),
  hint: z.string().optional(),
  location: location.optional(),
  stack: z.string().optional(),
});

export const tail = z.array(z.string()).describe('the last lines that the stage printed');
const stage = stageId;

const states = ['hit', 'ran', 'shared', 'failed', 'skipped', 'dropped', 'interrupted', 'unstarted'] as const;
const counts = z.strictObject(Object.fromEntries(states.map((state) => [state, z.int()])));

const drop = {
  rung: z.int(),
  rungs: z.int(),
  metric: z.string(),
  survivors: z.int(),
  rank: z.int(),
  among: z.int(),
  score: z.number().optional(),
  seeds: z.int().optional(),
};

/** When it was shown; ISO 8601, UTC. */
const time = z.string();

function event<Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) {
  return z.strictObject({ time, type: z.literal(type), ...shape });
}

/** A line of `run --json` and of `show RUN --json`: what happened. */
export const eventSchema = z.discriminatedUnion('type', [
  // Of a run on Slurm; it is no event of the run itself.
  event('submitted', {
    jobs: z.array(z.looseObject({ job: z.string(), name: z.string(), tasks: z.int(), stages: z.int() })),
    live: z.int().describe('stages that jobs of an earlier command make'),
    refused: z.strictObject({ stages: z.int(), ...error.shape }).optional(),
  }),
  event('run-started', {
    experiment: z.string(),
    file: z.string(),
    stages: z.array(z.strictObject({ stage, kind: z.string(), status })),
    overrides: z.array(
      z.strictObject({
        flag: z.string().optional(),
        path: z.string(),
        from: json,
        to: json,
        made: z.string().optional(),
      }),
    ),
    changes: z.array(change).optional(),
    smoke: smoke.optional(),
    store: z.string(),
    results: z.string(),
    jobs: z.int(),
    engine: z.string(),
  }),
  event('stage-waiting', { stage }),
  event('stage-started', { stage, threads: z.int() }),
  event('stage-logging', {
    stage,
    file: z.string().describe('what the stage logs, one JSON object a line, as it grows'),
  }),
  event('stage-progress', {
    stage,
    phase: z.enum(['loading', 'compiling', 'training', 'evaluating']).optional(),
    step: z.number(),
    of: z.number(),
    seconds: z.number().describe('since the stage began'),
    images: z.number().optional(),
    imagesPerSecond: z.number().optional(),
    remainingSeconds: z.number().optional(),
    waiting: z.number().optional().describe('share of its time that it waited for data'),
    values: z.record(z.string(), z.number().nullable()).optional().describe('null: not finite'),
  }),
  event('stage-finished', {
    stage,
    origin: z.enum(['hit', 'ran', 'shared']),
    contentKey: key,
    seconds: z.number().optional(),
    imagesPerSecond: z.number().optional(),
  }),
  event('stage-failed', { stage, failure, tail }),
  event('stage-retrying', { stage, failure, tail, retry: z.int(), of: z.int() }),
  event('stage-skipped', { stage, because: stageId }),
  event('stage-dropped', { stage, because: stageId.optional(), ...drop }),
  event('stage-interrupted', { stage, tail: tail.optional(), saved: resumePoint.optional() }),
  event('run-stopping', { because: stageId }),
  event('run-interrupted', { kill: z.boolean(), leaves: z.literal(true).optional() }),
  event('warning', { message: z.string(), hint: z.string().optional(), stage: stageId.optional() }),
  event('log', { stage, stream: z.enum(['stdout', 'stderr']), text: z.string() }),
  event('run-finished', {
    status: z.enum(['done', 'failed', 'interrupted']),
    seconds: z.number(),
    counts,
    files: z.array(z.string()),
    tensorboard: eventFiles.optional(),
  }),
]);

type Described = z.infer<typeof eventSchema>['type'];
/** So that an event that isn't described doesn't compile. */
({}) satisfies { readonly [type in Exclude<RunEvent['type'], Described>]: never };
