import { fileURLToPath } from 'node:url';
import type { CocoSplit } from './layout.ts';

/** A folder like COCO 2017, made by make-tiny.ts and shipped with the package: what smoke runs and tests read. */
export const tinyCoco = {
  root: fileURLToPath(new URL('./tiny', import.meta.url)),
  images: { train2017: 24, val2017: 24 } satisfies { [split in CocoSplit]: number },
} as const;
