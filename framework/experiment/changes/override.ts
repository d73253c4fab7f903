import { PecoError } from '../../stage/errors.ts';
import type { Json } from '../../stage/json.ts';
import { refuse } from '../problems.ts';
import { inside, isExperiment, remake } from '../tree.ts';
import type { Experiment } from '../types.ts';
import { assignInTurn } from './assign.ts';

/**
 * An experiment like another but for some fields: `override(base, { 'tokenizers.peco.codebook.size': 512 })`. Paths
 * and values as for `--set`. Loading the file reports what is wrong with them, with all other errors.
 *
 * @throws PecoError `invalid-experiment` if `base` is none
 */
export function override<E extends Experiment>(base: E, changes: { readonly [path: string]: Json }): E {
  if (!isExperiment(base)) {
    const hint = 'give the default export of an experiment file';
    throw new PecoError('override takes an experiment', { code: 'invalid-experiment', hint });
  }
  const assignments = Object.entries(changes).map(([path, value]) => ({ path: path.split('.'), value }));
  const { tree, problems } = assignInTurn(base, assignments);
  return remake(tree, refuse(inside(tree) as Experiment, problems));
}
