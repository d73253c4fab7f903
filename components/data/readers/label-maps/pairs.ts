import path from 'node:path';
import { endings, formatOf, look, some } from '../folder.ts';

/** The folders of images and of their label maps. */
export interface PairFolders {
  readonly images: string;
  readonly labels: string;
}

/** Names of files, in the order of the images' names; the label map of an image has its name, and ends in `.png` or `.PNG`. */
export interface Pairs {
  readonly images: readonly string[];
  readonly labels: readonly string[];
}

export interface PairProblem {
  readonly folder: keyof PairFolders;
  readonly message: string;
  readonly hint?: string;
}

/** Lists images with their label maps, or says all that is wrong with the folders. Litter and hidden names are passed over. */
export function listPairs(folders: PairFolders): Pairs | { readonly problems: readonly PairProblem[] } {
  const images = namesIn(folders.images, 'images');
  const labels = namesIn(folders.labels, 'labels');
  const problems = [...problemsOf(images), ...problemsOf(labels)];
  if ('problem' in images || 'problem' in labels) return { problems };
  const maps = new Map(labels.names.map((name) => [stemOf(name), name]));
  const stems = new Set(images.names.map(stemOf));
  const bare = images.names.filter((name) => !maps.has(stemOf(name)));
  const alone = labels.names.filter((name) => !stems.has(stemOf(name)));
  const add = (folder: keyof PairFolders, names: readonly string[], message: string, hint: string) => {
    if (names.length === 0) return;
    problems.push({ folder, message: `has ${message}: ${some(names)}`, hint });
  };
  add('images', bare, `images without a label map in ${folders.labels}`, pairing);
  add('labels', alone, `label maps without an image in ${folders.images}`, pairing);
  const hint = 'keep one of each';
  add('images', repeated(images.names), 'images of the same name but for the ending', hint);
  add('labels', repeated(labels.names), 'label maps of the same name but for the ending', hint);
  if (problems.length > 0) return { problems };
  return { images: images.names, labels: images.names.map((name) => maps.get(stemOf(name))!) };
}

const pairing =
  'each image has a label map of its name: a.jpg and a.png; complete the folders, or remove what is alone';

interface Names {
  readonly names: readonly string[];
}

function problemsOf(found: Names | { readonly problem: PairProblem }): PairProblem[] {
  return 'problem' in found ? [found.problem] : [];
}

function namesIn(folder: string, role: keyof PairFolders): Names | { readonly problem: PairProblem } {
  const what = role === 'images' ? 'images' : 'label maps';
  const names = look(folder);
  if (typeof names === 'string') return { problem: { folder: role, message: names } };
  if (names.length === 0) return { problem: { folder: role, message: `has no ${what}` } };
  const isOne = (name: string) =>
    role === 'images' ? formatOf(name) !== undefined : path.extname(name).toLowerCase() === '.png';
  const odd = names.filter((name) => !isOne(name));
  if (odd.length === 0) return { names };
  const endsIn = role === 'images' ? endings() : '.png';
  return {
    problem: {
      folder: role,
      message: `holds what is not named like ${what} (${endsIn}): ${some(odd)}`,
      hint: `all ${what} are directly in the folder, and nothing else`,
    },
  };
}

/** Those whose stem another one before them has. */
function repeated(names: readonly string[]): string[] {
  const stems = new Set<string>();
  return names.filter((name) => stems.size === stems.add(stemOf(name)).size);
}

function stemOf(name: string): string {
  return name.slice(0, name.length - path.extname(name).length);
}
