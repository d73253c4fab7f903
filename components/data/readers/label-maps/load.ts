import type { LoadFunction } from '../../../../framework/stage/contract.ts';
import type { LabelMap } from '../../targets.ts';
import type { Dataset } from '../../types.ts';
import type { LabelMapsConfig } from './config.ts';
import { openLabelMaps } from './open.ts';

/**
 * The images and label maps of a `labelMaps` component.
 *
 * @throws StageError as `openLabelMaps` does
 */
export const load: LoadFunction<Dataset<LabelMap>, LabelMapsConfig> = async ({
  config: { classes, numbering, maxPixels },
  files: { images, labels },
}) =>
  openLabelMaps({
    folders: { images: images!, labels: labels! },
    ...{ classes, numbering, maxPixels },
    name: 'images with label maps',
  });
