import path from 'node:path';
import type { ConfigIssue } from '../../../../framework/stage/component.ts';
import { disk } from '../../../../framework/stage/disk.ts';
import { describeNearest, look } from '../folder.ts';
import type { PairFolders } from '../label-maps/pairs.ts';

export type Ade20kSplit = 'training' | 'validation';

/** Images of the official release. */
export const officialImages = { training: 20_210, validation: 2_000 } as const;

/** Where the images and label maps of a split are. */
export function foldersOf(root: string, split: Ade20kSplit): PairFolders {
  return { images: path.join(root, 'images', split), labels: path.join(root, 'annotations', split) };
}

/**
 * That the folders are not there, with what should be and what is there instead, or the folder that was meant; nothing if
 * they are there.
 */
export function missingFolders(root: string, split: Ade20kSplit): ConfigIssue[] {
  const folders = Object.values<string>({ ...foldersOf(root, split) });
  if (folders.every((folder) => disk.exists(folder))) return [];
  const meant = nearby(root).find((place) =>
    Object.values<string>({ ...foldersOf(place, split) }).every((folder) => disk.exists(folder)),
  );
  const absent = disk.exists(root)
    ? folders.filter((folder) => !disk.exists(folder)).map((folder) => path.relative(root, folder))
    : [];
  const message =
    absent.length === 0 ? `there is no folder ${root}` : `${root} has no folder ${absent.join(' and none ')}`;
  // With no folder of images at all there may be nothing yet; what lies elsewhere is another root.
  if (meant !== undefined) return [{ path: ['root'], message, hint: `did you mean ${meant}?` }];
  const found = absent.length === 0 ? describeNearest(root) : describeNearest(path.join(root, 'x'));
  const hint = [...describeTree(root), ...(found === undefined ? [] : [found])].join('\n');
  return [{ path: ['root'], message, hint, missing: true }];
}

/** Roots that could be meant: a folder in it, or one that it is in. */
function nearby(root: string): string[] {
  if (root.startsWith('$')) return [];
  const below = look(root);
  const inside = typeof below === 'string' ? [] : below.map((name) => path.join(root, name));
  const above = [path.dirname(path.resolve(root)), path.dirname(path.dirname(path.resolve(root)))];
  return [...inside, ...above];
}

function describeTree(root: string): string[] {
  const many = ({ training, validation }: typeof officialImages) =>
    [training, validation].map((count) => count.toLocaleString('en-US'));
  const [training, validation] = many(officialImages);
  return [
    'expected ADEChallengeData2016 as it is distributed:',
    `  ${root}/`,
    `    images/training/ADE_train_00000001.jpg ... (${training})`,
    `    images/validation/ADE_val_00000001.jpg ... (${validation})`,
    '    annotations/training/ADE_train_00000001.png ...',
    '    annotations/validation/ADE_val_00000001.png ...',
  ];
}
