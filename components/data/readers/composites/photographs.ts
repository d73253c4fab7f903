import { disk } from '../../../../framework/stage/disk.ts';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import { formatOf } from '../folder.ts';
import type { CompositesSplit } from './items.ts';

/** Of ten photographs in the order of their names, those of each split. */
const shares: { readonly [split in CompositesSplit]: readonly number[] } = {
  train: [0, 1, 2, 4, 5, 6, 8],
  validation: [3],
  test: [7, 9],
};

/**
 * Names of the photographs in a folder that a split has.
 *
 * @throws StageError if there are none
 */
export function listPhotographs(folder: string, split: CompositesSplit): readonly string[] {
  const names = disk
    .list(folder)
    .filter((name) => !name.startsWith('.') && formatOf(name) !== undefined)
    .sort();
  if (names.length < 10) {
    throw new StageError(`${folder} has ${names.length} images; backgrounds need at least 10`, {
      hint: 'each split has photographs of its own: of ten, seven are for training',
    });
  }
  return names.filter((_, place) => shares[split].includes(place % 10));
}
