import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Says that a contender is compiled and warm. */
export interface Started {
  /** From nothing to the first warm step, without the start of the process. */
  readonly startMs: number;
  /** Compiling, and the first step. */
  readonly compileMs: number;
  readonly description: string;
  /** Multiplications and additions of a step that it can't do without. */
  readonly flops?: number;
  readonly warnings?: readonly string[];
}

/** Steps of one round. */
export interface Steps {
  readonly stepMs: readonly number[];
  /** Processor time of a step, all threads together. */
  readonly cpuMs: number;
  /** Resident memory afterwards, and the most that there ever was. */
  readonly residentMiB: number;
  readonly peakMiB: number;
  readonly loss: number;
  /** Of the GPU, where there is one: what all processes had taken more of it than before. */
  readonly gpuMiB?: number;
}

/** What is measured: the command of a process that `measure.ts` describes, or why there is none. */
export interface Contender {
  readonly name: string;
  readonly command?: readonly string[];
  readonly missing?: string;
  /** Starts slowly, so that its process is kept between rounds where memory allows it. */
  readonly slow?: boolean;
}

/** A contender's process. It rests unless it is asked. */
export class Running {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private errors = '';

  constructor([program, ...rest]: readonly string[]) {
    this.child = spawn(program!, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.on('error', (error) => {
      this.errors += `${error.message}\n`;
    });
    this.child.stdin!.on('error', () => undefined);
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.errors = (this.errors + text).slice(-4000);
    });
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** Throws with the last line of what it said, if it ends without an answer. */
  async answer<T>(): Promise<T> {
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) throw new Error(lastLine(this.errors) || 'it ended without an answer');
      if (value.startsWith('{')) return JSON.parse(value) as T;
    }
  }

  measure(seconds: number): Promise<Steps> {
    this.child.stdin!.write(`${seconds}\n`);
    return this.answer<Steps>();
  }

  /** Ends it, and waits until its memory is free. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }
}

/** Of a trace of Python it is the error; of one of Node the line that begins with its name. */
function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const named = lines.findLast((line) => /^\w*Error\b.*: /.test(line));
  return (named ?? lines.at(-1) ?? '').trim();
}
