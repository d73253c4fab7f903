import type { RunEvent, StageProgress } from './events.ts';

/** Seconds of a stage's own clock between two progress events that are kept. */
const interval = 5;
/** Lines that a stage may print into the record; what is beyond is not kept. */
const mostLines = 5000;
const mostCharacters = 2000;

/**
 * Makes the stream of events short enough to be kept: of every stage's progress some, and the last; what it prints up
 * to a limit. Returns for each event those that are to be written now.
 */
export function createThinner(): (event: RunEvent) => readonly RunEvent[] {
  const written = new Map<string, number>();
  const held = new Map<string, StageProgress>();
  const lines = new Map<string, number>();

  function release(stage: string): RunEvent[] {
    const progress = held.get(stage);
    held.delete(stage);
    written.delete(stage);
    return progress ? [progress] : [];
  }

  return (event) => {
    if (event.type === 'stage-progress') {
      const { stage, seconds } = event;
      const last = written.get(stage);
      if (last !== undefined && seconds - last < interval) {
        held.set(stage, event);
        return [];
      }
      held.delete(stage);
      written.set(stage, seconds);
      return [event];
    }
    if (event.type === 'log') {
      const many = (lines.get(event.stage) ?? 0) + 1;
      lines.set(event.stage, many);
      if (many > mostLines) return [];
      const text = many === mostLines ? '(what it printed after this was not kept)' : event.text;
      return [{ ...event, text: text.slice(0, mostCharacters) }];
    }
    if (event.type === 'run-finished') return [...[...held.keys()].flatMap(release), event];
    // The last progress before anything else that happens to the stage.
    return 'stage' in event && event.stage !== undefined ? [...release(event.stage), event] : [event];
  };
}
