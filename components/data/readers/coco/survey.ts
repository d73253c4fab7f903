import path from 'node:path';
import { madeOf } from '../../../../framework/stage/made.ts';
import { look } from '../folder.ts';
import { type Annotations, type Counts, readAnnotations } from './annotations.ts';
import { type Finding, openFindings } from './findings.ts';
import type { CocoPlaces } from './layout.ts';

/** What a plan wants to know of annotations and their images. JSON. */
export type CocoFacts = {
  readonly images: number;
  /** Images with an object that is no group. */
  readonly withObjects: number;
  readonly classNames: readonly string[];
  readonly counts: { readonly [count in keyof Counts]: number };
};

type Surveyed = {
  readonly facts: CocoFacts | null;
  readonly problems: readonly { readonly message: string; readonly hint: string; readonly field: string }[];
  /** Folders in the folder of images that have some of them. */
  readonly folders: readonly string[];
};

/**
 * What is counted, and all that is wrong. A file of the size of COCO's takes seconds to read: it is read once, and again only
 * when it or the folder of images has changed.
 */
export function survey(places: CocoPlaces): Surveyed {
  const { annotations, images } = places;
  const make = () => lookAt(places);
  const known = madeOf([annotations, images], 'coco 1', make);
  if (known.folders.length === 0) return known;
  // The time of a folder says nothing of those in it.
  const inside = known.folders.map((folder) => path.join(images, folder));
  return madeOf([annotations, images, ...inside], 'coco 1', make);
}

function lookAt({ annotations, images }: CocoPlaces): Surveyed {
  const read = readAnnotations(annotations);
  if ('problems' in read)
    return { facts: null, problems: inField(read.problems, 'annotations'), folders: [] };
  const folders = new Set(read.images.names.map((name) => path.dirname(path.normalize(name))));
  folders.delete('.');
  const problems = inField(absentImages(read, images), 'images');
  return { facts: problems.length > 0 ? null : count(read), problems, folders: [...folders] };
}

function inField(problems: readonly Finding[], field: string): Surveyed['problems'] {
  return problems.map(({ message, hint }) => ({ message, hint, field }));
}

/** Images of which there is no file, by the names in their folders. Files without annotations are no matter. */
export function absentImages({ images }: Pick<Annotations, 'images'>, folder: string): readonly Finding[] {
  const folders = new Map<string, ReadonlySet<string>>();
  const findings = openFindings();
  for (const [place, name] of images.names.entries()) {
    const { dir, base } = path.parse(path.normalize(name));
    let names = folders.get(dir);
    if (names === undefined) {
      const listed = look(path.join(folder, dir));
      if (typeof listed === 'string' && dir === '')
        return [{ message: listed, hint: 'give the folder of the images' }];
      names = new Set(typeof listed === 'string' ? [] : listed);
      folders.set(dir, names);
    }
    if (!names.has(base)) findings.add('image-absent', `${name} (image ${images.ids[place]})`);
  }
  return findings.list();
}

function count({ images, categories, counts }: Annotations): CocoFacts {
  return {
    images: images.ids.length,
    withObjects: images.hasObjects.reduce((sum, has) => sum + has, 0),
    classNames: categories.map(({ name }) => name),
    counts: { ...counts },
  };
}
