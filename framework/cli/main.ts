import { CommanderError } from 'commander';
import { formatError, isPecoError, PecoError } from '../stage/errors.ts';
import { errorAsJson } from './json/error.ts';
import { keepForAnswers, printLines } from './print.ts';
import { createProgram } from './program.ts';
import { hasUnwritten, noteUnwritten } from './unwritten.ts';

/** Exit code after Ctrl-C. */
const interrupted = 130;

/** Runs the command line; `args` without node and script. Returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  // A reader that has gone away: a run takes it for Ctrl-C, see interrupts.ts.
  noteUnwritten();
  const exit = process.exit.bind(process); // an experiment file may not call it, see code/evaluate.ts
  const isJson = args.includes('--json');
  // What code of an experiment file does later, in a timer, or a fault of ours.
  const onLost = (error: unknown): void => {
    if (isJson) printError(error);
    else reportError(error, args.includes('--verbose'));
    exit(1);
  };
  process.on('uncaughtException', onLost);
  try {
    const code = await (isJson ? answerInJson(args) : answer(args));
    return code === 0 && hasUnwritten() ? 1 : code;
  } finally {
    process.off('uncaughtException', onLost);
  }
}

async function answer(args: readonly string[]): Promise<number> {
  try {
    return await call(args);
  } catch (error) {
    // Commander has printed its message already.
    return error instanceof CommanderError ? 2 : reportError(error, args.includes('--verbose'));
  }
}

/** Stdout has JSON only: what programs asked for, or why not, also where Ctrl-C came before. */
async function answerInJson(args: readonly string[]): Promise<number> {
  const answers = keepForAnswers();
  const explain = (code: number): void => {
    if (code === interrupted && !answers.has())
      printError(new PecoError('interrupted before there was an answer', { code: 'interrupted' }));
  };
  process.on('exit', explain);
  for (const signal of signals) process.on(signal, exitAlone);
  try {
    const code = await call(args);
    explain(code);
    return code;
  } catch (error) {
    printError(error);
    return isPecoError(error) || error instanceof CommanderError ? 2 : 1;
  } finally {
    process.off('exit', explain);
    for (const signal of signals) process.off(signal, exitAlone);
    answers.end();
  }
}

const signals = ['SIGINT', 'SIGTERM'] as const;

/** Commands that have something to stop listen themselves. */
function exitAlone(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) process.exit(interrupted);
}

async function call(args: readonly string[]): Promise<number> {
  let code = 0;
  const program = createProgram((result) => {
    code = result;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    // The help, or the version: it has been printed.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    throw error;
  }
}

function printError(error: unknown): void {
  printLines([JSON.stringify({ error: errorAsJson(error) })]);
}

function reportError(error: unknown, verbose: boolean): number {
  const expected = isPecoError(error);
  const stack = error instanceof Error ? error.stack : undefined;
  const lines = [expected ? formatError(error) : `unexpected error: ${formatError(error)}`];
  if (verbose && stack !== undefined) lines.push('', stack);
  else if (!expected) lines.push('  --verbose shows where it came from');
  process.stderr.write(`${lines.join('\n')}\n`);
  return expected ? 2 : 1;
}
