import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import type { EngineSpeed } from '../plan/rates.ts';
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
      /** What else there is to say of it, in lines. */
      readonly notes: readonly string[];
    }
  | { readonly works: false; readonly problem: string };

export interface CheckOptions {
  /** The built `engine-check.js`, or `engine-speed.js`. */
  readonly script: string;
  /** Longest time that an engine may take, in milliseconds. */
  readonly patience?: number;
}

const usualPatience = 120_000;
const remedy = 'install its package again, or choose another engine (--engine onnx)';

/** Lets an engine train a small step in a process of its own, with the threads of a lone stage. Never throws. */
export async function checkEngine(engine: string, options: CheckOptions): Promise<EngineReport> {
  const answer = await ask<EngineAnswer>([engine, String(threadsOf(1))], options);
  return { engine, ...answer };
}

/** What was measured of an engine, or why nothing could be. */
export type SpeedReport =
  | { readonly works: true; readonly name: string; readonly speed: EngineSpeed }
  | { readonly works: false; readonly problem: string };

/** Measures an engine with so many threads in a process of its own. Never throws. */
export function measureEngine(engine: string, threads: number, options: CheckOptions): Promise<SpeedReport> {
  return ask<SpeedReport>([engine, String(threads)], options);
}

/** Threads of a stage where so many run at once on this machine. */
export function threadsOf(jobs: number): number {
  const startable = Array.from({ length: jobs }, () => Number.POSITIVE_INFINITY);
  return shareCores({ cores: os.availableParallelism(), used: 0, startable });
}

/** What the process of a script answers, or why it didn't. */
async function ask<Answer>(
  args: readonly string[],
  { script, patience = usualPatience }: CheckOptions,
): Promise<Answer | { readonly works: false; readonly problem: string }> {
  const broken = (problem: string) => ({ works: false, problem }) as const;
  let child: ChildProcess;
  try {
    child = fork(script, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
  } catch (error) {
    return broken(`could not start a process: ${(error as Error).message}`);
  }
  let answer: Answer | undefined;
  let late = false;
  let printed = '';
  child.on('message', (message: Answer) => {
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
    if (answer) return answer;
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
 * The engine that stages get: what `auto` means on this machine, and any other as it is, with what a run with it should
 * say first. Tried in a process of its own, so that results name the engine that made them and a library that crashes ends
 * no stage.
 */
export async function resolveEngine(engine: string, options: CheckOptions, emit: Emit): Promise<string> {
  const chosen = engine === 'auto' ? await chooseEngine(options, emit) : engine;
  for (const warning of await warningsOf(chosen, options))
    emit({ type: 'warning', message: `engine ${chosen}: ${warning}; peco-exp doctor shows more` });
  return chosen;
}

async function chooseEngine(options: CheckOptions, emit: Emit): Promise<string> {
  const report = await checkEngine('auto', options);
  if (report.works) return report.name;
  emit({
    type: 'warning',
    message: `engine auto: ${report.problem}. Using onnx; peco-exp doctor shows more`,
  });
  return 'onnx';
}

/** Of TensorFlow only, which computes on the CPU where it finds no GPU. An engine that can't be had says so in its stages. */
async function warningsOf(engine: string, options: CheckOptions): Promise<readonly string[]> {
  if (!engine.startsWith('tensorflow')) return [];
  const opened = await ask<{ readonly works: true; readonly warnings: readonly string[] }>(
    [engine, '1', 'open'],
    options,
  );
  return opened.works ? opened.warnings : [];
}

/** The last line that a process printed before it died, if any. */
function said(printed: string): string {
  const last = printed.trim().split('\n').at(-1) ?? '';
  return last === '' ? '' : `: ${last}`;
}
