import type { LoadFunction } from '../../../../framework/stage/contract.ts';
import type { LabelMap } from '../../targets.ts';
import type { Dataset } from '../../types.ts';
import { openLabelMaps } from '../label-maps/open.ts';
import { ade20kClasses } from './classes.ts';
import type { Ade20kConfig } from './config.ts';

/**
 * The images and label maps of an `ade20k` component.
 *
 * @throws StageError as `openLabelMaps` does
 */
export const load: LoadFunction<Dataset<LabelMap>, Ade20kConfig> = async ({
  config: { split, maxPixels },
  files: { images, labels },
}) =>
  openLabelMaps({
    folders: { images: images!, labels: labels! },
    classes: ade20kClasses,
    numbering: 'from-1',
    name: `ade20k ${split}`,
    maxPixels,
  });
