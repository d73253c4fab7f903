import fs from 'node:fs';
import type { Emit, RunEvent, StageFailed, StageFinished, StageInterrupted } from '../run/record/events.ts';
import { createThinner } from '../run/record/pace.ts';
import { readEventFile, type TimedEvent } from '../run/record/records.ts';

/**
 * Keeps the events of a task, one JSON object a line, as records of runs have them; a task that was requeued adds to what
 * it has. The file is opened for each line: over a network others see what was written when it is closed. Never throws.
 *
 * @param onProblem called once if the file can't be written: then the task goes on without
 */
export function openEvents(file: string, onProblem: (message: string) => void): Emit {
  const thin = createThinner();
  let open = true;
  return (event) => {
    if (!open) return;
    const time = new Date().toISOString();
    const text = thin(event)
      .map((kept) => `${JSON.stringify({ time, ...kept })}\n`)
      .join('');
    try {
      if (text !== '') fs.appendFileSync(file, text);
    } catch (error) {
      open = false;
      onProblem(`the events of this job are not kept: ${(error as Error).message}`);
    }
  };
}

/** How a stage ended, as its task tells; absent while it runs, and where its task was ended without a word. */
export type StageOutcome =
  | StageFinished
  | StageFailed
  | Extract<RunEvent, { readonly type: 'stage-skipped' | 'stage-dropped' }>;

export function isOutcome(event: RunEvent): event is StageOutcome {
  return outcomeTypes.has(event.type);
}

const outcomeTypes = new Set<RunEvent['type']>([
  'stage-finished',
  'stage-failed',
  'stage-skipped',
  'stage-dropped',
]);

/** What a task has told so far. */
export interface TaskStory {
  readonly events: readonly TimedEvent[];
  /** By id of the stage. Of attempts that were requeued only the last counts. */
  readonly outcomes: ReadonlyMap<string, StageOutcome>;
  /** Times in a row, up to now, that it began and was ended without a word: a node that failed, a kill. */
  readonly lost: number;
  /** Where stages were saved when it was last asked to stop, by id; a stage that saved nothing has no step. */
  readonly saved: ReadonlyMap<string, number | undefined>;
}

export function readStory(file: string): TaskStory {
  const events = readEventFile(file);
  const outcomes = new Map<string, StageOutcome>();
  const saved = new Map<string, number | undefined>();
  let lost = 0;
  let running = false;
  for (const event of events) {
    if (isOutcome(event)) outcomes.set(event.stage, event);
    switch (event.type) {
      case 'run-started':
        if (running) lost += 1;
        running = true;
        outcomes.clear();
        break;
      case 'run-finished':
        running = false;
        lost = 0;
        break;
      case 'stage-interrupted':
        saved.set(event.stage, (event as StageInterrupted).saved?.step);
        break;
      default:
    }
  }
  if (running) lost += 1;
  return { events, outcomes, lost, saved };
}
