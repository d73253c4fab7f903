import type {
  RunEvent,
  StageProgress,
  StageRetrying,
  StageStarted,
  StageWaiting,
} from '../../run/record/events.ts';
import { count, formatProgress } from '../text/format.ts';
import { formatInterrupt } from '../text/text.ts';
import { Frame, type Repeat, type Terminal } from './frame.ts';
import { createLineRenderer } from './lines.ts';
import type { Renderer } from './renderer.ts';
import { type Expected, Tally } from './tally.ts';

export interface LiveOptions {
  readonly terminal: Terminal;
  readonly expected?: Expected;
  /** For tests, as is the clock: seconds, only going forward. */
  readonly repeat?: Repeat;
  readonly now?: () => number;
}

/** What is shown of a stage that runs: the last that happened to it. */
type Happening = StageWaiting | StageStarted | StageProgress | StageRetrying;

/** Lines of the terminal that are left to the prompt and to the line for the whole run. */
const spareRows = 3;
/** Of the columns; the rest is for what the stage does. */
const nameShare = 0.5;
/** Columns that Listr needs beside the text. */
const margin = 4;

/**
 * Shows a run on a terminal: the lines of a log scroll away, and at the bottom stand the stages that run, one line each,
 * and one line for the whole. Nothing here takes longer because there are more stages.
 */
export class LiveDisplay implements Renderer {
  readonly #options: LiveOptions;
  /** In the order in which they started. */
  readonly #running = new Map<string, Happening>();
  #log: Renderer | undefined;
  #frame: Frame | undefined;
  #tally: Tally | undefined;
  #notice = '';

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  show(event: RunEvent): void {
    if (event.type === 'run-started') this.#open(event.stages.length);
    this.#tally?.count(event);
    this.#follow(event);
    if (!this.#isDrawn(event)) this.#log?.show(event);
  }

  async close(): Promise<void> {
    await this.#frame?.close();
  }

  #open(stages: number): void {
    const { terminal, repeat, expected, now = () => performance.now() / 1000 } = this.#options;
    const frame = new Frame(terminal, () => this.#lines(), repeat);
    this.#frame = frame;
    this.#log = createLineRenderer({ verbose: false, write: (text) => frame.print(text) });
    this.#tally = new Tally({ stages, now, ...(expected ? { expected } : {}) });
  }

  #follow(event: RunEvent): void {
    switch (event.type) {
      case 'stage-waiting':
      case 'stage-started':
      case 'stage-progress':
      case 'stage-retrying':
        this.#running.set(event.stage, event);
        return;
      case 'stage-finished':
      case 'stage-failed':
      case 'stage-skipped':
      case 'stage-dropped':
      case 'stage-interrupted':
        this.#running.delete(event.stage);
        return;
      case 'run-interrupted':
        this.#notice = `${formatInterrupt(event)} · `;
        return;
      default:
        return;
    }
  }

  /** What the lines at the bottom say needs no line in the log. */
  #isDrawn({ type }: RunEvent): boolean {
    return type === 'stage-waiting' || type === 'stage-started' || type === 'stage-progress';
  }

  #lines(): string[] {
    const { terminal } = this.#options;
    const room = Math.max(0, terminal.rows() - spareRows);
    const shown: Happening[] = [];
    for (const happening of this.#running.values()) {
      if (shown.length === room) break;
      shown.push(happening);
    }
    const columns = Math.max(1, terminal.columns() - margin);
    const widest = Math.max(1, Math.floor(columns * nameShare));
    const names = shown.map(({ stage }) => shorten(printable(stage), widest));
    const width = Math.max(0, ...names.map((name) => name.length));
    const hidden = this.#running.size - shown.length;
    return [
      ...shown.map((happening, index) => `${names[index]!.padEnd(width)}  ${printable(describe(happening))}`),
      `${this.#notice}${hidden > 0 ? `${count(hidden, 'more stage')} running, ` : ''}${this.#tally!.format()}`,
    ];
  }
}

function describe(happening: Happening): string {
  switch (happening.type) {
    case 'stage-waiting':
      return 'waiting for another run that is making it';
    case 'stage-started':
      return count(happening.threads, 'thread');
    case 'stage-retrying':
      return `starting it again (retry ${happening.retry} of ${happening.of})`;
    case 'stage-progress':
      return formatProgress(happening);
  }
}

/** A line end or an escape sequence in a name would break the frame. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

/** Without its middle, if it is longer: the start of a name says the kind, its end the seed. */
function shorten(name: string, most: number): string {
  if (name.length <= most) return name;
  const end = Math.floor((most - 1) / 2);
  return `${name.slice(0, most - 1 - end)}…${name.slice(name.length - end)}`;
}
