import path from 'node:path';
import { endings, formatOf, look, some } from '../folder.ts';
import type { FolderProblem } from './problems.ts';

/** Classes, and the names of the files of each, both sorted by code unit. */
export interface Listed {
  readonly classes: readonly string[];
  readonly files: readonly (readonly string[])[];
}

/** Lists `<root>/<class>/<image>`, or says all that is wrong. Litter and names that begin with a dot are passed over. */
export function listFolders(root: string): Listed | { readonly problems: readonly FolderProblem[] } {
  const top = look(root);
  if (typeof top === 'string') return { problems: [{ field: 'root', message: top }] };
  if (top.length === 0)
    return refuse('has no folder in it; expected one for each class', 'give the folder that holds them');
  if (top.every((name) => formatOf(name) !== undefined)) return refuse(...imagesAtTheTop(root, top));
  const odd: Odd = { beside: [], empty: [], unread: [], others: [], folders: [] };
  const files = top.map((name) => imagesOf(root, name, odd));
  const problems = describe(root, top, odd);
  return problems.length > 0 ? { problems } : { classes: top, files };
}

/** Names of the images of a flat folder, sorted, or what is wrong with it. */
export function listFlat(
  root: string,
): { readonly names: readonly string[] } | { readonly problems: readonly FolderProblem[] } {
  const names = look(root);
  if (typeof names === 'string') return { problems: [{ field: 'root', message: names }] };
  if (names.length === 0) return refuse('has no images');
  const odd = names.filter((name) => formatOf(name) === undefined);
  if (odd.length === 0) return { names };
  const hint =
    odd.length === names.length
      ? 'leave `labels` out if these are folders, one for each class'
      : 'with `labels`, all images are directly in the folder, and nothing else';
  return refuse(`holds what is not named like an image (${endings()}): ${some(odd)}`, hint);
}

/** What doesn't belong where it is, as paths below the root. */
interface Odd {
  /** Files beside the folders of the classes. */
  readonly beside: string[];
  readonly empty: string[];
  readonly unread: string[];
  /** In folders of classes: files that are no images. */
  readonly others: string[];
  /** In folders of classes: folders. */
  readonly folders: string[];
}

function imagesOf(root: string, name: string, odd: Odd): readonly string[] {
  const found = look(path.join(root, name));
  if (found === 'is no folder') odd.beside.push(name);
  else if (typeof found === 'string') odd.unread.push(`${name} ${found}`);
  else if (found.length === 0) odd.empty.push(name);
  else {
    const strange = found.filter((file) => formatOf(file) === undefined);
    for (const file of strange) {
      const isFolder = typeof look(path.join(root, name, file)) !== 'string';
      (isFolder ? odd.folders : odd.others).push(`${name}/${file}`);
    }
  }
  return typeof found === 'string' ? [] : found;
}

function describe(root: string, top: readonly string[], odd: Odd): FolderProblem[] {
  const { beside, empty, unread, others, folders } = odd;
  const problems: FolderProblem[] = [];
  const add = (names: readonly string[], message: string, hint: string) => {
    if (names.length > 0) problems.push({ field: 'root', message: `${message}: ${some(names)}`, hint });
  };
  const tars = [...beside, ...others].filter((name) => /\.(tar|tgz|zip|gz)$/i.test(name));
  const unpack = 'unpack archives, each into the folder of its class, and move them away';
  add(
    unread,
    'has folders that can not be listed',
    'give permission to read them (chmod), or mend the links',
  );
  add(
    beside,
    'has files beside the folders of the classes',
    tars.length > 0 ? unpack : 'move them elsewhere',
  );
  add(empty, 'has folders of classes without images', 'put their images in, or remove them');
  add(
    others,
    `has files in the folders of classes that are not named like images (${endings()})`,
    tars.length > 0 ? unpack : 'move them elsewhere',
  );
  add(folders, 'has folders in the folders of classes', nesting(root, top, folders));
  return problems;
}

/** The folder that was meant, where the one that was given is too high. */
function nesting(root: string, top: readonly string[], folders: readonly string[]): string {
  const inside = (name: string) => folders.filter((folder) => folder.startsWith(`${name}/`)).length;
  const likely = top.filter((name) => inside(name) > 1);
  if (likely.length === 0) return 'put the images directly into the folder of their class';
  return `the folders of the classes must be directly in it: did you mean ${some(likely.map((name) => path.join(root, name)))}?`;
}

function imagesAtTheTop(root: string, names: readonly string[]): [string, string] {
  const { dir, base } = path.parse(path.resolve(root));
  return [
    `has images directly in it (${some(names)}), no folder for each class`,
    `for a flat folder of validation images give \`labels\`, a list of their classes; if ${base} is one class of many, give ${dir}`,
  ];
}

function refuse(message: string, hint?: string): { readonly problems: readonly FolderProblem[] } {
  return { problems: [{ field: 'root', message, ...(hint === undefined ? {} : { hint }) }] };
}
