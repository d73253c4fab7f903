import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ade20kClasses } from './classes.ts';
import { type Ade20kSplit, foldersOf } from './layout.ts';

const root = fileURLToPath(new URL('./tiny', import.meta.url));

/**
 * A folder like ADEChallengeData2016, made by make-tiny.ts and shipped with the package: what smoke runs and tests read.
 */
export const tinyAde20k = {
  root: path.resolve(root),
  training: foldersOf(root, 'training'),
  validation: foldersOf(root, 'validation'),
  classes: ade20kClasses,
  images: { training: 24, validation: 24 } satisfies { [split in Ade20kSplit]: number },
} as const;
