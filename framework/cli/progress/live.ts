import type {
  RunEvent,
  StageProgress,
  StageRetrying,
  StageStarted,
  StageWaiting,
} from '../../run/record/events.ts';
import { count, formatProgress } from '../text/format.ts';
import type { Look } from '../text/look.ts';
import { formatInterrupt } from '../text/text.ts';
import { cutMiddle, padTo, widthOf } from '../text/width.ts';
import { Frame, type Repeat, type Terminal } from './frame.ts';
import { createLineRenderer } from './lines.ts';
import type { Renderer } from './renderer.ts';
import { type Expected, Tally } from './tally.ts';

export interface LiveOptions {
  readonly terminal: Terminal;
  readonly look?: Look;
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
/** Columns beside the text. */
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
    const { terminal, look, repeat, expected, now = () => performance.now() / 1000 } = this.#options;
    const frame = new Frame(terminal, () => this.#lines(), {
      ...(look ? { look } : {}),
      ...(repeat ? { repeat } : {}),
    });
    this.#frame = frame;
    this.#log = createLineRenderer({
      ...{ verbose: false, write: (text: string) => frame.print(text) },
      ...(look ? { look } : {}),
    });
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
    const rows = Math.max(0, terminal.rows() - spareRows);
    const shown: Happening[] = [];
    for (const happening of this.#running.values()) {
      if (shown.length === rows) break;
      shown.push(happening);
    }
    const columns = Math.max(1, terminal.columns() - margin);
    const widest = Math.max(1, Math.floor(columns * nameShare));
    const names = shown.map(({ stage }) => cutMiddle(printable(stage), widest));
    const width = Math.max(0, ...names.map(widthOf));
    const room = columns - width;
    const hidden = this.#running.size - shown.length;
    const more = hidden > 0 ? ` · ${count(hidden, 'more stage')} running` : '';
    return [
      ...shown.map(
        (happening, index) => `${padTo(names[index]!, width)}  ${printable(describe(happening, room))}`,
      ),
      `${this.#notice}${this.#tally!.format(columns)}${more}`,
    ];
  }
}

function describe(happening: Happening, room: number): string {
  switch (happening.type) {
    case 'stage-waiting':
      return 'waiting for another run that is making it';
    case 'stage-started':
      return `loading · ${count(happening.threads, 'thread')}`;
    case 'stage-retrying':
      return `starting it again (retry ${happening.retry} of ${happening.of})`;
    case 'stage-progress':
      return formatProgress(happening, room);
  }
}

/** A line end or an escape sequence in a name would break the frame. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}
