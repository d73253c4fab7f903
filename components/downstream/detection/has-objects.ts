import { StageError } from '../../../framework/stage/stage-error.ts';
import { targetOf } from '../../data/subset.ts';
import type { ImageInstances } from '../../data/targets.ts';
import type { Dataset } from '../../data/types.ts';

const groups = 'groups (`iscrowd`) are not enough';
const absent = {
  learnt: [
    'the training images have no object that is learnt from',
    `take training data with objects: ${groups}`,
  ],
  held: [
    'the images that are held out for validation have no objects',
    'raise `checkpoint.validation.share`',
  ],
  test: ['the test images have no object that is to be found', `take test data with objects: ${groups}`],
} as const;

/** What a detection does with images. */
export type Use = keyof typeof absent;

export function noObjects(use: Use): StageError {
  const [message, hint] = absent[use];
  return new StageError(message, { hint });
}

/**
 * That there is an object among images, before anything is trained.
 *
 * @throws StageError if all have none, or groups only
 */
export async function checkObjects(data: Dataset<ImageInstances>, use: Use): Promise<void> {
  for (let index = 0; index < data.count; index++)
    if ((await targetOf(data, index)).instances.some(({ crowd }) => !crowd)) return;
  throw noObjects(use);
}
