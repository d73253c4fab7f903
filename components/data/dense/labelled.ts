import { StageError } from '../../../framework/stage/stage-error.ts';
import { readLabelMap } from '../decode/label-map.ts';
import { targetOf } from '../subset.ts';
import { type LabelMap, noClass } from '../targets.ts';
import type { Dataset } from '../types.ts';

/** @param of which images: `the test images` */
export function nothingLabelled(of: string): StageError {
  return new StageError(`no pixel of ${of} has a class`, {
    hint: 'look at the label maps and at how their numbers mean classes (`numbering`)',
  });
}

/**
 * That there is a pixel with a class among images, before anything is trained. Reads their label maps up to the first that has
 * one.
 *
 * @throws StageError if there is none
 */
export async function checkLabelled(data: Dataset<LabelMap>, of: string): Promise<void> {
  for (let index = 0; index < data.count; index++) {
    const { labels } = await readLabelMap(await targetOf(data, index), data.classes.length);
    if (labels.some((label) => label !== noClass)) return;
  }
  throw nothingLabelled(of);
}
