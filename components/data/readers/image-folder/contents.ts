import path from 'node:path';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import { readLabels } from './labels.ts';
import { listFlat, listFolders } from './listing.ts';
import type { FolderProblem } from './problems.ts';

/** Where an `imageFolder` is: the folder and, if that is flat, what says of which class its images are. */
export interface FolderPlaces {
  readonly root: string;
  readonly labels?: string | undefined;
  readonly synsets?: string | undefined;
}

/** What a folder of images holds: names, and nothing of what is in the files. */
export interface FolderContents {
  /** Sorted by code unit: a class is its place in this list. */
  readonly classes: readonly string[];
  /** Names of the files: class by class and sorted in each; of a flat folder, sorted. */
  readonly names: readonly string[];
  /** The class of each. */
  readonly labels: Int32Array;
}

/** Lists the folder, or says all that is wrong with it and its lists. */
export function openFolder(
  places: FolderPlaces,
): FolderContents | { readonly problems: readonly FolderProblem[] } {
  const { root, labels, synsets } = places;
  if (labels !== undefined) {
    const flat = listFlat(root);
    if ('problems' in flat) return flat;
    const read = readLabels(flat.names, { labels, synsets });
    return 'problems' in read ? read : { names: flat.names, ...read };
  }
  const listed = listFolders(root);
  if ('problems' in listed) return listed;
  const { classes, files } = listed;
  const names = files.flat();
  const own = new Int32Array(names.length);
  let place = 0;
  for (const [label, { length }] of files.entries()) {
    own.fill(label, place, place + length);
    place += length;
  }
  return { classes, names, labels: own };
}

/**
 * The same for a stage.
 *
 * @throws StageError with the first of the problems
 */
export function openWhole(places: FolderPlaces): FolderContents {
  const opened = openFolder(places);
  if (!('problems' in opened)) return opened;
  const [{ field, message, hint }] = opened.problems as readonly [FolderProblem];
  throw new StageError(`${places[field]}: ${message}`, hint === undefined ? {} : { hint });
}

/** Path of an image. */
export function fileOf(
  { root, labels: list }: FolderPlaces,
  { classes, names, labels }: FolderContents,
  index: number,
): string {
  return list === undefined
    ? path.join(root, classes[labels[index]!]!, names[index]!)
    : path.join(root, names[index]!);
}
