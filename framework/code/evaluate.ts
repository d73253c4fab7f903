import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { isPecoError, PecoError, type SourceLocation } from '../stage/errors.ts';
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
    return (await import(evaluations++ === 0 ? href : `${href}?${evaluations}`)) as {
      readonly [name: string]: unknown;
    };
  } catch (error) {
    const location = error instanceof Error ? traceBack(error, bundle, options.cwd) : undefined;
    if (isPecoError(error)) throw located(error, location);
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new PecoError(`${options.shown} can't be evaluated: ${message}`, {
      code: 'evaluation-failed',
      ...(location ? { location } : {}),
      cause: error,
    });
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
