import type { Pixels } from '../../types.ts';
import { mapBytes, type Table } from '../colour.ts';
import { jitterPart } from '../jitter.ts';
import { type Affine, moveAffine, type Outside, rotation } from './affine.ts';
import type { Operation } from './draw.ts';
import { sharpen } from './sharpen.ts';
import {
  autoContrastTable,
  equalizeTable,
  invertTable,
  mapChannels,
  posterizeTable,
  solarizeAddTable,
  solarizeTable,
} from './tables.ts';

/**
 * A picture of three channels after the changes of RandAugment, each to the byte of what timm makes of it with Pillow 11. The
 * picture that is given may be changed.
 */
export function applyOperations(picture: Pixels, operations: readonly Operation[], outside: Outside): Pixels {
  return operations.reduce((image, operation) => applyOne(image, operation, outside), picture);
}

function applyOne(image: Pixels, { kind, amount }: Operation, outside: Outside): Pixels {
  const mapped = (table: Table): Pixels => {
    mapBytes(image, table);
    return image;
  };
  const moved = (map: Affine): Pixels => moveAffine(image, map, outside);
  switch (kind) {
    case 'autoContrast':
      mapChannels(image, autoContrastTable);
      return image;
    case 'equalize':
      mapChannels(image, equalizeTable);
      return image;
    case 'invert':
      return mapped(invertTable());
    case 'posterize':
      return mapped(posterizeTable(amount));
    case 'solarize':
      return mapped(solarizeTable(amount));
    case 'solarizeAdd':
      return mapped(solarizeAddTable(amount));
    case 'saturation':
    case 'contrast':
    case 'brightness':
      return jitterPart(image, { top: 0, left: 0, ...image }, [{ kind, factor: amount }]);
    case 'sharpness':
      return sharpen(image, amount);
    case 'rotate':
      return amount === 0 ? image : moved(rotation(amount, image));
    case 'shearX':
      return moved([1, amount, 0, 0, 1, 0]);
    case 'shearY':
      return moved([1, 0, 0, amount, 1, 0]);
    case 'translateX':
      return moved([1, 0, amount * image.width, 0, 1, 0]);
    case 'translateY':
      return moved([1, 0, 0, 0, 1, amount * image.height]);
  }
}
