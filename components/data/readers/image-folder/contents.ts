import path from 'node:path';
import { disk } from '../../../../framework/stage/disk.ts';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import type { ImageBytes } from '../../types.ts';

/** By the end of a file's name, in lower case. */
const FORMATS: ReadonlyMap<string, Exclude<ImageBytes['format'], 'raw'>> = new Map([
  ['.jpg', 'jpeg'],
  ['.jpeg', 'jpeg'],
  ['.png', 'png'],
  ['.webp', 'webp'],
]);

/** What a folder of images holds: names, and nothing of what is in the files. */
export interface FolderContents {
  /** Names of the folders in it, sorted by code unit: a class is its place in this list. */
  readonly classes: readonly string[];
  /** Names of the files of each class, sorted. */
  readonly files: readonly (readonly string[])[];
}

/**
 * Lists `<root>/<class>/<image>`. Names that begin with a dot are passed over.
 *
 * @throws Error that names the folder or file that doesn't belong there, or that is missing
 */
export function listImages(root: string): FolderContents {
  const classes = visible(root);
  if (classes.length === 0) throw new StageError(`${root}: has no folder in it; expected one for each class`);
  const files = classes.map((name) => visible(path.join(root, name)));
  for (const [place, names] of files.entries()) {
    const folder = path.join(root, classes[place]);
    if (names.length === 0) throw new StageError(`${folder}: has no images`);
    const odd = names.find((name) => formatOf(name) === undefined);
    if (odd !== undefined)
      throw new StageError(
        `${path.join(folder, odd)}: is not named like an image (${[...FORMATS.keys()].join(', ')})`,
      );
  }
  return { classes, files };
}

/** By its name. */
export function formatOf(file: string): Exclude<ImageBytes['format'], 'raw'> | undefined {
  return FORMATS.get(path.extname(file).toLowerCase());
}

function visible(folder: string): string[] {
  try {
    return disk.list(folder).filter((name) => !name.startsWith('.'));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'is not there' : code === 'ENOTDIR' ? 'is no folder' : `can't be read (${code})`;
    throw new StageError(`${folder}: ${why}`, { cause });
  }
}
