import { z } from 'zod';

/** What several answers have in them. Nothing here is loaded when a command runs: it describes what commands print. */

export const json = z.json();
export const key = z.string().describe('content key of a stored result, 64 hexadecimal digits');
export const stageId = z.string().describe('id of a stage: `tokenizer/peco/seed-1`');

export const status = z
  .enum(['hit', 'run', 'maybe', 'unknown', 'dropped'])
  .describe('hit: stored; run; maybe: depends on a stage that runs first; unknown: data is missing');

export const location = z.strictObject({ file: z.string(), line: z.int(), column: z.int() });

export const resumePoint = z
  .strictObject({
    step: z.int(),
    of: z.int().optional().describe('steps of the whole training'),
    engine: z.string().optional().describe('that computed it, where that is another one'),
  })
  .describe('where a stage resumes: its newest whole checkpoint');

export const difference = z.strictObject({
  type: z.enum(['kind', 'config', 'seed', 'code', 'package', 'data', 'upstream', 'other']),
  input: z.string().optional().describe('the input that it concerns, if not the stage itself'),
  path: z.string().describe('of the field, the file, the package'),
  before: json.optional().describe('absent: it was not there'),
  after: json.optional().describe('absent: it is gone'),
});

export const nearest = z
  .strictObject({ key, differences: z.array(difference) })
  .nullable()
  .describe('the stored result that a stage is most like; null: none of its kind');

export const root = z
  .strictObject({
    stages: z.array(stageId).describe('those of all seeds'),
    reason: z.string(),
    followers: z.int().describe('stages that run, or may, because of these'),
    nearest,
  })
  .describe('stages that run by themselves, not because another one does');

export const eventFiles = z
  .strictObject({ dir: z.string(), files: z.int() })
  .describe('event files of TensorBoard, where they were asked for');

export const change = z.strictObject({
  by: z.enum(['set', 'seeds', 'tasks', 'sweep', 'smoke']),
  path: z.string(),
  from: json.optional(),
  to: json,
});

export const smoke = z
  .strictObject({ unchanged: z.array(z.string()) })
  .describe('of a smoke run: the components that declare no smaller size');

/** A record whose fields are added to now and then. */
export const record = z.record(z.string(), json);

const problem = {
  code: z.string().describe('what kind of failure: `invalid-experiment`, `usage`, `unexpected`, ...'),
  message: z.string(),
  hint: z.string().nullable(),
  location: location.nullable(),
};

export const error = z.strictObject({
  error: z.strictObject({
    ...problem,
    problems: z.array(z.strictObject(problem)).describe('all that is wrong, where that is several things'),
  }),
});
