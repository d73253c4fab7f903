import type { RunEvent } from '../../run/record/events.ts';
import type { Look } from '../text/look.ts';

/** Shows the events of a run in one way. */
export interface Renderer {
  show(event: RunEvent): void;
  /** Leaves the terminal as it was; called once, after the last event. */
  close(): Promise<void>;
}

export type Write = (text: string) => void;

export interface RenderOptions {
  readonly write: Write;
  /** Adds what stages print as they print it, and stacks of failures. */
  readonly verbose: boolean;
  /** Absent: no colours. */
  readonly look?: Look;
}
