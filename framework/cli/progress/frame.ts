import { DefaultRenderer, Listr, ListrTaskState, Spinner } from 'listr2';

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
/** Columns of the icon, the space after it, and one at the end: some terminals wrap a line that is full. */
const besideText = 3;

type Task = Listr<unknown, typeof DefaultRenderer>['tasks'][number];

/**
 * Some lines at the bottom of a terminal that are drawn again and again, and text that scrolls away above them. Each
 * line is a task of Listr. `lines` is asked for them before a drawing, so its cost depends neither on what happened since
 * the last one nor on how much is above. The cursor stays visible: no crash, no kill and no Ctrl-Z leaves it hidden.
 */
export class Frame {
  readonly #terminal: Terminal;
  readonly #lines: () => readonly string[];
  readonly #listr: Listr<unknown, typeof DefaultRenderer>;
  readonly #finished: Promise<unknown>;
  #finish = () => {};
  /** Text that waits for the next drawing. */
  #above = '';
  /** Rows that the last drawing took. */
  #drawn = 0;

  constructor(terminal: Terminal, lines: () => readonly string[], repeat: Repeat = repeatedly) {
    this.#terminal = terminal;
    this.#lines = lines;
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
    const erase = this.#drawn > 0 ? `\x1b[${this.#drawn}A\r\x1b[J` : '';
    const text = erase + this.#above + frame;
    this.#above = '';
    this.#drawn = frame.split('\n').length - 1;
    if (text !== '') this.#terminal.write(text);
  }

  /** Listr's own, but for how it gets to the terminal: that one measures and wraps every word of each drawing. */
  #createRenderer(repeat: Repeat): typeof DefaultRenderer {
    const arrange = () => this.#arrange();
    const replace = (frame: string) => this.#replace(frame);
    const columns = () => this.#terminal.columns();
    const spinner = new Spinner();
    let stop = () => {};
    return class extends DefaultRenderer {
      // Whether the output is a terminal has been looked at before.
      static override nonTTY = true;

      constructor(...[tasks, options, events]: ConstructorParameters<typeof DefaultRenderer>) {
        super(tasks, { ...options, spinner }, events);
      }

      override async render(): Promise<void> {
        stop = repeat(() => {
          spinner.spin();
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

      protected override format(message: string, icon: string): string[] {
        return message === '' ? [] : [`${icon} ${cutToWidth(message, columns() - besideText)}`];
      }
    };
  }
}

/** Characters that take one column; others are taken for two, which is the most that one takes. */
const narrow = /[ -~·…\p{Script=Latin}]/u;

function cutToWidth(text: string, most: number): string {
  let width = 0;
  let fitting = 0;
  for (const character of text) {
    width += narrow.test(character) ? 1 : 2;
    if (width > most) return `${text.slice(0, fitting)}…`;
    // Room for the mark that something was cut.
    if (width <= most - 1) fitting += character.length;
  }
  return text;
}

function repeatedly(callback: () => void): () => void {
  const timer = setInterval(callback, interval).unref();
  return () => clearInterval(timer);
}
