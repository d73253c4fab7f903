import { describeDrop } from '../../plan/fate.ts';
import { type RunEvent, unreachable } from '../../run/record/events.ts';
import { formatProgress } from '../text/format.ts';
import { inCharacters, type Paint, paint, plainLook } from '../text/look.ts';
import {
  formatFailure,
  formatFinished,
  formatInterrupt,
  formatInterrupted,
  formatRetrying,
  formatRunStarted,
  formatSkipped,
  formatStopping,
  formatWarning,
} from '../text/text.ts';
import type { Renderer, RenderOptions } from './renderer.ts';

/** Seconds between two lines about one stage. */
const progressInterval = 10;

/** Of the first line of an event, on a terminal. */
const colours: { readonly [type in RunEvent['type']]?: Paint } = {
  'stage-failed': 'red',
  'stage-skipped': 'red',
  'stage-retrying': 'yellow',
  warning: 'yellow',
  'run-interrupted': 'yellow',
  'run-stopping': 'yellow',
};

/** Plain lines, for logs: a stage's start and end, and in between its progress now and then. */
export function createLineRenderer({ write, verbose, look = plainLook }: RenderOptions): Renderer {
  const shownAt = new Map<string, number>();
  const planned = new Set<string>();
  return {
    show: (event) => {
      const [first, ...others] = linesOf(event);
      if (first === undefined) return;
      const colour = colours[event.type];
      const lines = [colour ? paint(first, colour, look) : first, ...others];
      write(inCharacters(lines.map((line) => `${line}\n`).join(''), look));
    },
    close: async () => {},
  };

  function linesOf(event: RunEvent): string[] {
    switch (event.type) {
      case 'run-started':
        for (const { stage, status } of event.stages) if (status === 'hit') planned.add(stage);
        return formatRunStarted(event);
      case 'stage-waiting':
        return [`${event.stage}  another run is making it, waiting for that`];
      case 'stage-started':
        shownAt.set(event.stage, 0);
        return [`${event.stage}  started, ${event.threads === 1 ? '1 thread' : `${event.threads} threads`}`];
      case 'stage-logging':
        return [];
      case 'stage-progress':
        // By the stage's own clock, not ours: the same events give the same lines.
        if (event.seconds - (shownAt.get(event.stage) ?? 0) < progressInterval) return [];
        shownAt.set(event.stage, event.seconds);
        return [`${event.stage}  ${formatProgress(event)}`];
      case 'stage-finished':
        // The first line has counted those that the plan found in the store.
        if (event.origin === 'hit' && planned.has(event.stage)) return [];
        return [`${event.stage}  ${formatFinished(event)}`];
      case 'stage-failed':
        return formatFailure(event, verbose);
      case 'stage-retrying':
        shownAt.set(event.stage, 0);
        return formatRetrying(event, verbose);
      case 'stage-skipped':
        return [`${event.stage}  ${formatSkipped(event)}`];
      case 'stage-dropped':
        // What depends on it stops with it: one line says so for all.
        return event.because === undefined ? [`${event.stage}  ${describeDrop(event)}`] : [];
      case 'stage-interrupted':
        return [`${event.stage}  ${formatInterrupted(event)}`];
      case 'run-stopping':
        return [formatStopping(event)];
      case 'run-interrupted':
        return [formatInterrupt(event)];
      case 'warning':
        return formatWarning(event);
      case 'log':
        return verbose ? [`${event.stage}  | ${event.text}`] : [];
      case 'run-finished':
        return [];
      default:
        return unreachable(event);
    }
  }
}
