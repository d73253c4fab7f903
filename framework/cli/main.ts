import { CommanderError } from 'commander';
import { formatError, isPecoError } from '../stage/errors.ts';
import { isReaderGone } from './interrupts.ts';
import { errorAsJson } from './json/error.ts';
import { createProgram } from './program.ts';

/** Runs the command line; `args` without node and script. Returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  // A reader that has gone away (`| head`) wants no more; a run takes it for Ctrl-C, see interrupts.ts.
  for (const stream of [process.stdout, process.stderr]) stream.off('error', onError).on('error', onError);
  let code = 0;
  const program = createProgram((result) => {
    code = result;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    // Commander has printed its message (or the help, or the version) already.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (args.includes('--json')) return printError(error);
    return error instanceof CommanderError ? 2 : reportError(error, args.includes('--verbose'));
  }
}

function onError(error: NodeJS.ErrnoException): void {
  if (!isReaderGone(error)) throw error;
}

/** On stdout, for programs: what they asked for, or why not. */
function printError(error: unknown): number {
  process.stdout.write(`${JSON.stringify({ error: errorAsJson(error) })}\n`);
  return isPecoError(error) || error instanceof CommanderError ? 2 : 1;
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
