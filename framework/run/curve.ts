import fs from 'node:fs/promises';
import type { PlannedStage } from '../plan/plan.ts';
import { EventFile } from './record/event-file.ts';
import { eventsOfRow, runFolder } from './tensorboard.ts';

const lineEnd = '\n'.charCodeAt(0);

/** The event file of a stage that runs, which grows with what it logs. */
export class Curve {
  readonly #folder: string;
  readonly #role: string;
  #file: EventFile | undefined;
  /** Whole lines of its history, and what they are as events. */
  #read: Uint8Array = new Uint8Array();
  #rows = 0;
  #events: readonly Uint8Array[] = [];

  /** `folder`: that of all event files. */
  constructor(folder: string, { id, component }: PlannedStage['node']) {
    this.#folder = runFolder(folder, { id });
    this.#role = component.role;
  }

  /** Absolute path of the event file; undefined while there is none. */
  get path(): string | undefined {
    return this.#file?.path;
  }

  /**
   * Brings the event file to what the history has by now; nothing changes where that isn't there, or says less, as at the
   * beginning of a training that is resumed.
   *
   * @param history a stage's `metrics.jsonl`, as the stage's process writes it
   * @param wallTime of what is new, in seconds since 1970
   * @throws the file system's error for an event file that can't be written
   */
  async follow(history: string, wallTime: number): Promise<void> {
    // Read from its beginning, which takes a millisecond: a process that resumes replaces what it had logged.
    const bytes = await fs.readFile(history).catch(() => Buffer.alloc(0));
    const lines = bytes.subarray(0, bytes.lastIndexOf(lineEnd) + 1);
    if (lines.equals(this.#read)) return;
    if (!lines.subarray(0, this.#read.length).equals(this.#read)) {
      this.#read = lines.subarray(0, 0);
      this.#rows = 0;
      this.#events = [];
    }
    const added = lines.subarray(this.#read.length).toString('utf8').split('\n').slice(0, -1);
    const about = { role: this.#role, wallTime };
    const events = added.flatMap((line, index) => eventsOfRow(parse(line), this.#rows + index, about));
    this.#read = lines;
    this.#rows += added.length;
    this.#events = [...this.#events, ...events];
    if (this.#events.length === 0) return;
    this.#file ??= await EventFile.open(this.#folder);
    await this.#file.extend(this.#events);
  }
}

/** What a machine that lost its power left may be no line of ours. */
function parse(line: string): { readonly [name: string]: unknown } {
  try {
    return JSON.parse(line) as { readonly [name: string]: unknown };
  } catch {
    return {};
  }
}
