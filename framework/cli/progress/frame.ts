import { DefaultRenderer, Listr, ListrTaskState } from 'listr2';
import { inCharacters, type Look, paint, plainLook } from '../text/look.ts';
import { cutToWidth, widthOf } from '../text/width.ts';

/** The part of a terminal that the live display needs. Its size can change at any time. */
export interface Terminal {
  write(text: string): void;
  columns(): number;
  rows(): number;
}

/** Calls back again and again until the returned function is called. */
export type Repeat = (callback: () => void) => () => void;

/** Milliseconds between two drawings. However much happens meanwhile, it costs one. */
const interval = 200;
/** Columns of the spinner, the space after it, and one at the end: some terminals wrap a line that is full. */
const besideText = 3;
/** Turned by each drawing. */
const spinners = { unicode: [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'], ascii: [...'-\\|/'] };

export interface FrameOptions {
  readonly look?: Look;
  /** For tests. */
  readonly repeat?: Repeat;
}

type Task = Listr<unknown, typeof DefaultRenderer>['tasks'][number];

/**
 * Some lines at the bottom of a terminal that are drawn again and again, and text that scrolls away above them. Each
 * line is a task of Listr. `lines` is asked for them before a drawing, so its cost depends neither on what happened since
 * the last one nor on how much is above. The cursor stays visible: no crash, no kill and no Ctrl-Z leaves it hidden.
 */
export class Frame {
  readonly #terminal: Terminal;
  readonly #lines: () => readonly string[];
  readonly #look: Look;
  readonly #listr: Listr<unknown, typeof DefaultRenderer>;
  readonly #finished: Promise<unknown>;
  #finish = () => {};
  /** Text that waits for the next drawing. */
  #above = '';
  /** Widths of the lines of the last drawing. */
  #drawn: readonly number[] = [];
  #drawings = 0;

  constructor(
    terminal: Terminal,
    lines: () => readonly string[],
    { look = plainLook, repeat = repeatedly }: FrameOptions = {},
  ) {
    this.#terminal = terminal;
    this.#lines = lines;
    this.#look = look;
    const finishing = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    // Listr ends when the tasks have ended that are there now: this one, which is not shown.
    this.#listr = new Listr([{ task: () => finishing }], {
      // Ctrl-C is the run's: while it stops, it is still to be shown.
      registerSignalListeners: false,
      renderer: this.#createRenderer(repeat),
    });
    this.#finished = this.#listr.run();
  }

  /** Text of whole lines, above the frame from the next drawing on. */
  print(text: string): void {
    this.#above += text;
  }

  /** Erases the frame, and prints what is left. */
  async close(): Promise<void> {
    this.#finish();
    await this.#finished;
    this.#replace('');
  }

  /** Gives every line a task, without an event for each: the drawing that follows is the only one. */
  #arrange(): void {
    this.#drawings += 1;
    const lines = this.#lines();
    const { tasks } = this.#listr;
    while (tasks.length <= lines.length) tasks.push(this.#createTask());
    // Listr leaves out those without text.
    for (const [index, task] of tasks.slice(1).entries()) task.title = lines[index] ?? '';
  }

  #createTask(): Task {
    this.#listr.add({ title: '', task: () => {} });
    const task = this.#listr.tasks.pop()!;
    void task.check(undefined);
    task.state = ListrTaskState.STARTED;
    return task;
  }

  /** In one piece, or it would flicker: goes up, erases all below, prints, draws. */
  #replace(frame: string): void {
    const rows = this.#rowsDrawn();
    const erase = rows > 0 ? `\x1b[${rows}A\r\x1b[J` : '';
    const text = erase + inCharacters(this.#above + frame, this.#look);
    this.#above = '';
    this.#drawn = frame.split('\n').slice(0, -1).map(widthOf);
    if (text !== '') this.#terminal.write(text);
  }

  /** Rows that the last drawing takes now: a terminal that has become narrower has broken its lines. */
  #rowsDrawn(): number {
    const columns = Math.max(1, this.#terminal.columns());
    return this.#drawn.reduce((rows, width) => rows + Math.max(1, Math.ceil(width / columns)), 0);
  }

  #drawLine(text: string): string {
    const { unicode } = this.#look;
    const signs = spinners[unicode ? 'unicode' : 'ascii'];
    const spinner = paint(signs[this.#drawings % signs.length]!, 'cyan', this.#look);
    return `${spinner} ${cutToWidth(text, this.#terminal.columns() - besideText)}`;
  }

  /** Listr's own, but for how it gets to the terminal: that one measures and wraps every word of each drawing. */
  #createRenderer(repeat: Repeat): typeof DefaultRenderer {
    const arrange = () => this.#arrange();
    const replace = (frame: string) => this.#replace(frame);
    const drawLine = (text: string) => this.#drawLine(text);
    let stop = () => {};
    return class extends DefaultRenderer {
      // Whether the output is a terminal has been looked at before.
      static override nonTTY = true;

      override async render(): Promise<void> {
        stop = repeat(() => {
          arrange();
          this.update();
        });
      }

      override update(): void {
        const frame = this.create();
        replace(frame === '' ? '' : `${frame}\n`);
      }

      override end(): void {
        stop();
        replace('');
      }

      protected override format(message: string): string[] {
        return message === '' ? [] : [drawLine(message)];
      }
    };
  }
}

function repeatedly(callback: () => void): () => void {
  const timer = setInterval(callback, interval).unref();
  return () => clearInterval(timer);
}
