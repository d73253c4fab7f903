import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** One measurement. */
export interface Timed {
  readonly seconds: number;
  /** Processor seconds of the process and all below it. */
  readonly cpu: number;
  /** Of that, what its first thread took: no number of threads can do that work. */
  readonly main: number;
}

/** A process that hands out batches when it is asked to, as ours.ts says. Linux only. */
export class Child {
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    this.process = spawn(command, args, { stdio: [...stdio], env: { ...process.env, ...env } });
    this.lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  async ready(): Promise<void> {
    await this.expect('ready');
  }

  /** `skip` batches that are not timed, so that what was prepared beforehand doesn't count, then `count`. */
  async time(skip: number, count: number): Promise<Timed> {
    this.process.stdin!.write(`${skip} ${count}\n`);
    await this.expect('begin');
    const [started, cpu, main] = [performance.now(), this.cpu(), this.main()];
    await this.expect('end');
    const seconds = (performance.now() - started) / 1000;
    return { seconds, cpu: this.cpu() - cpu, main: this.main() - main };
  }

  end(): void {
    this.process.kill();
  }

  private async expect(word: string): Promise<void> {
    const { value } = await this.lines.next();
    if (value !== word) throw new Error(`expected "${word}", got ${JSON.stringify(value)}`);
  }

  private cpu(): number {
    const ticks = treeOf(this.process.pid!).map((pid) => ticksOf(`/proc/${pid}`));
    return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND;
  }

  private main(): number {
    const { pid } = this.process;
    return ticksOf(`/proc/${pid}/task/${pid}`) / TICKS_PER_SECOND;
  }
}

const TICKS_PER_SECOND = 100;

function treeOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
}

/** User and system time. */
function ticksOf(folder: string): number {
  const fields = readFileSync(`${folder}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
