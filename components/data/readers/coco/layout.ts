import path from 'node:path';
import type { ConfigIssue } from '../../../../framework/stage/component.ts';
import { disk } from '../../../../framework/stage/disk.ts';
import { describeNearest, look } from '../folder.ts';

export type CocoSplit = 'train2017' | 'val2017';

/** Images of the official release: all, and those with an object that is no group. */
export const officialImages = {
  train2017: { all: 118_287, withObjects: 117_266 },
  val2017: { all: 5_000, withObjects: 4_952 },
} as const;

/** Where annotations and images are: as officially laid out below `root`, or where the config says. */
export interface CocoFields {
  readonly root?: string | undefined;
  readonly split?: CocoSplit | undefined;
  readonly annotations?: string | undefined;
  readonly images?: string | undefined;
}

export interface CocoPlaces {
  /** A file. */
  readonly annotations: string;
  /** A folder. */
  readonly images: string;
}

/** Both places; undefined where a field is missing that says one. */
export function placesOf({ root, split, annotations, images }: CocoFields): CocoPlaces | undefined {
  if (root !== undefined && split !== undefined)
    return {
      annotations: annotations ?? path.join(root, 'annotations', `instances_${split}.json`),
      images: images ?? path.join(root, split),
    };
  return annotations !== undefined && images !== undefined ? { annotations, images } : undefined;
}

/** What is missing, with the tree that is expected and what is there instead, or the folder that was meant. */
export function missingPlaces(fields: CocoFields): ConfigIssue[] {
  const places = placesOf(fields)!;
  const absent = (['annotations', 'images'] as const).filter((what) => !disk.exists(places[what]));
  const { root, split } = fields;
  return absent.flatMap((what, n): ConfigIssue[] => {
    const kind = what === 'annotations' ? 'file' : 'folder';
    if (fields[what] !== undefined) {
      const hint = describeNearest(places[what]);
      const message = `there is no ${kind} ${places[what]}`;
      return [{ path: [what], message, ...(hint === undefined ? {} : { hint }), missing: true }];
    }
    // The tree shows both.
    return n > 0 && fields[absent[0]!] === undefined ? [] : [missingRoot(root!, split!, places, kind)];
  });
}

function missingRoot(root: string, split: CocoSplit, places: CocoPlaces, kind: string): ConfigIssue {
  const isThere = disk.exists(root);
  const first = kind === 'file' ? places.annotations : places.images;
  const message = isThere
    ? `${root} has no ${kind} ${path.relative(root, first)}`
    : `there is no folder ${root}`;
  const meant = nearby(root).find((place) =>
    Object.values<string>({ ...placesOf({ root: place, split }) }).every((file) => disk.exists(file)),
  );
  if (meant !== undefined) return { path: ['root'], message, hint: `did you mean ${meant}?` };
  const found = isThere ? describeNearest(path.join(root, 'x')) : describeNearest(root);
  const elsewhere = path.join(root, 'images', split);
  const hint = [
    ...describeTree(root),
    ...(found === undefined ? [] : [found]),
    ...(isThere && disk.exists(elsewhere) ? [`\`images\` can say where the images are: ${elsewhere}`] : []),
  ];
  return { path: ['root'], message, hint: hint.join('\n'), missing: true };
}

/** Roots that could be meant: a folder in it, or one that it is in. */
function nearby(root: string): string[] {
  if (root.startsWith('$')) return [];
  const below = look(root);
  const inside = typeof below === 'string' ? [] : below.map((name) => path.join(root, name));
  return [...inside, path.dirname(path.resolve(root)), path.dirname(path.dirname(path.resolve(root)))];
}

function describeTree(root: string): string[] {
  const count = (split: CocoSplit) => officialImages[split].all.toLocaleString('en-US');
  return [
    'expected COCO 2017 as it is distributed:',
    `  ${root}/`,
    '    annotations/instances_train2017.json',
    '    annotations/instances_val2017.json',
    `    train2017/000000000009.jpg ... (${count('train2017')})`,
    `    val2017/000000000139.jpg ... (${count('val2017')})`,
  ];
}
