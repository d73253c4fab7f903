import { StageError } from '../../stage/stage-error.ts';

/**
 * Lets code of these bundles (stages and loaders, which are the project's own) call `Math.random` no more: its numbers are
 * in no key, so a stored result could not be made a second time. Packages may, for names of files and the like. Returns
 * what undoes it.
 */
export function refuseMathRandom(bundles: readonly string[]): () => void {
  const { random } = Math;
  Math.random = () => {
    // The first line is the message, the second this function.
    const caller = new Error().stack?.split('\n')[2] ?? '';
    if (!isOwn(caller, bundles)) return random();
    throw new StageError('Math.random draws other numbers each time, and a stage must give the same ones', {
      hint: 'draw by `random(seed, purpose)` of peco-exp/kit',
    });
  };
  return () => {
    Math.random = random;
  };
}

/** Of a bundle, or, where Node maps it back, of a file that is no package's. */
function isOwn(frame: string, bundles: readonly string[]): boolean {
  return bundles.some((bundle) => frame.includes(bundle)) || !/node_modules|node:|^$/.test(frame);
}
