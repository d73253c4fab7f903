import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { shareCores } from '../run/capacity.ts';
import type { Emit } from '../run/record/events.ts';

/** What a try of an engine gave. The built `engine-check.js` sends it, without `engine`. */
export type EngineReport = { readonly engine: string } & EngineAnswer;

type EngineAnswer =
  | {
      readonly works: true;
      /** The engine that was opened: for `auto` the one that it chose. */
      readonly name: string;
      readonly description: string;
      /** How far its training came out from the reference's. */
      readonly difference: number;
      readonly steps: number;
    }
  | { readonly works: false; readonly problem: string };

export interface CheckOptions {
  /** The built `engine-check.js`. */
  readonly script: string;
  /** Longest time that an engine may take, in milliseconds. */
  readonly patience?: number;
}

const usualPatience = 120_000;
const remedy = 'install its package again, or choose another engine (--engine onnx)';

/** Lets an engine train a small step in a process of its own, with the threads of a lone stage. Never throws. */
export async function checkEngine(engine: string, options: CheckOptions): Promise<EngineReport> {
  const { script, patience = usualPatience } = options;
  const threads = shareCores({
    cores: os.availableParallelism(),
    used: 0,
    startable: [Number.POSITIVE_INFINITY],
  });
  const broken = (problem: string): EngineReport => ({ engine, works: false, problem });
  let child: ChildProcess;
  try {
    child = fork(script, [engine, String(threads)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
  } catch (error) {
    return broken(`could not start a process: ${(error as Error).message}`);
  }
  let answer: EngineAnswer | undefined;
  let late = false;
  let printed = '';
  child.on('message', (message: EngineAnswer) => {
    answer = message;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, patience);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (answer) return { engine, ...answer };
    if (late) return broken(`gave no answer in ${patience / 1000} s; ${remedy}`);
    const how = signal === null ? `exit code ${code}` : signal;
    return broken(
      `its process ended by ${how}, as a library does that doesn't fit this machine; ${remedy}${said(printed)}`,
    );
  } catch (error) {
    return broken(`could not start a process: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The engine that stages get: what `auto` means on this machine, and any other as it is. Tried in a process of its own,
 * so that results name the engine that made them and a library that crashes ends no stage.
 */
export async function resolveEngine(engine: string, options: CheckOptions, emit: Emit): Promise<string> {
  if (engine !== 'auto') return engine;
  const report = await checkEngine(engine, options);
  if (report.works) return report.name;
  emit({
    type: 'warning',
    message: `engine auto: ${report.problem}. Using onnx; peco-exp doctor shows more`,
  });
  return 'onnx';
}

/** The last line that a process printed before it died, if any. */
function said(printed: string): string {
  const last = printed.trim().split('\n').at(-1) ?? '';
  return last === '' ? '' : `: ${last}`;
}
