import path from 'node:path';
import { setImmediate as immediately } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { isPecoError, PecoError, type SourceLocation } from '../stage/errors.ts';
import { namedMessage } from '../stage/named-error.ts';
import { placesIn } from './frames.ts';
import type { StoredBundle } from './stored-bundles.ts';

let evaluations = 0;

/**
 * Imports a bundle, which runs the code of the experiment file.
 *
 * @throws PecoError `evaluation-failed` with the place in the source where the file's own code threw
 */
export async function evaluateBundle(
  bundle: StoredBundle,
  options: { readonly shown: string; readonly cwd: string },
): Promise<{ readonly [name: string]: unknown }> {
  // Node runs a module once; under another name it runs it again, and sees the disk and the variables as they are now.
  // Packages that it imports stay as they are.
  const { href } = pathToFileURL(bundle.path);
  try {
    return await toTheEnd(options.shown, () => import(evaluations++ === 0 ? href : `${href}?${evaluations}`));
  } catch (error) {
    const location = error instanceof Error ? traceBack(error, bundle, options.cwd) : undefined;
    if (isPecoError(error)) throw located(error, location);
    const message = error instanceof Error ? namedMessage(error) : String(error);
    throw new PecoError(`${options.shown} can't be evaluated: ${message}`, {
      code: 'evaluation-failed',
      ...(location ? { location } : {}),
      cause: error,
    });
  }
}

/** Exit code after Ctrl-C: the command line ends itself by it. */
const interrupted = 130;

/**
 * Calls what evaluates a module. That the module rejects a promise that no code waits for, ends the process or waits for
 * what never comes is an error of it, too: otherwise the command would end without a word, or with a stack.
 */
function toTheEnd<T>(shown: string, evaluate: () => Promise<T>): Promise<T> {
  // One at a time: each puts back the process as it found it.
  const turn = last.then(() => watched(shown, evaluate));
  last = turn.catch(() => {});
  return turn;
}

let last: Promise<unknown> = Promise.resolve();

async function watched<T>(shown: string, evaluate: () => Promise<T>): Promise<T> {
  const { exit } = process;
  const refusal = (why: string) =>
    new PecoError(`${shown} can't be evaluated: ${why}`, { code: 'evaluation-failed' });
  const lost: { readonly reason: unknown }[] = [];
  const onLost = (reason: unknown) => void lost.push({ reason });
  let onIdle = (): void => {};
  const idle = new Promise<never>((_, reject) => {
    onIdle = () => void setImmediate(reject, refusal('it waits for what never comes'));
  });
  process.on('unhandledRejection', onLost).once('beforeExit', onIdle);
  process.exit = (code) => {
    if (code === interrupted) exit(code);
    throw refusal(`it ends the process by process.exit(${code ?? ''})`);
  };
  try {
    const made = await Promise.race([evaluate(), idle]);
    await immediately(); // Node tells of lost promises after the code that made them
    if (lost[0]) throw lost[0].reason;
    return made;
  } finally {
    process.exit = exit;
    process.off('unhandledRejection', onLost).off('beforeExit', onIdle);
  }
}

function located(error: PecoError, location: SourceLocation | undefined): PecoError {
  if (error.location || !location) return error;
  const { code, hint, problems } = error;
  return new PecoError(error.message, {
    code,
    location,
    problems,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The innermost place in project code that an error's stack passes through. */
function traceBack(error: Error, bundle: StoredBundle, cwd: string): SourceLocation | undefined {
  for (const place of placesIn(error.stack ?? '', new Set([bundle.path]))) {
    if (!(place.file in bundle.sources)) continue;
    // What `env` refuses is to be mended where it is called.
    if (place.file.endsWith('framework/experiment/environment.ts')) continue;
    const shown = path.relative(cwd, place.file);
    return { ...place, file: shown.startsWith('..') ? place.file : shown };
  }
  return undefined;
}
