import { pathToFileURL } from 'node:url';
import { StageError } from '../../stage/stage-error.ts';

/**
 * Lets code of these bundles (stages and loaders, which are the project's own) call `Math.random` no more: its numbers are
 * in no key, so a stored result could not be made a second time. Packages may, for names of files and the like. Returns
 * what undoes it.
 */
export function refuseMathRandom(bundles: readonly string[]): () => void {
  const own = new Set(bundles.map((bundle) => pathToFileURL(bundle).href));
  const { random } = Math;
  Math.random = () => {
    if (!own.has(callerOf(Math.random))) return random();
    throw new StageError('Math.random draws other numbers each time, and a stage must give the same ones', {
      hint: 'draw by `random(seed, purpose)` of peco-exp/kit',
    });
  };
  return () => {
    Math.random = random;
  };
}

/** URL of the file from which a function was called, as Node loaded it: source maps don't count here. */
function callerOf(callee: () => unknown): string {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = 8; // functions of the language itself may lie between
  Error.prepareStackTrace = (_, sites) => sites.find((site) => site.getFileName())?.getFileName() ?? '';
  try {
    const here: { stack?: string } = {};
    Error.captureStackTrace(here, callee);
    return here.stack ?? '';
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  }
}
