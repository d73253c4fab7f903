import { some } from '../folder.ts';

/** What can be wrong with an entry of the annotations, and what to do about it. Errors list the entries' numbers. */
const faults = {
  'image-id': ['images whose `id` is no whole number', 'number the images'],
  'image-twice': ['images with the `id` of another', 'give each image a number of its own'],
  'image-size': [
    'images whose `height` or `width` is no whole number above 0',
    'write their sizes in pixels',
  ],
  'image-name': [
    'images whose `file_name` is no path below the folder of images, or a hidden one',
    'write their paths in that folder; none of their parts begins with a dot',
  ],
  'image-form': [
    'images whose `file_name` ends in no name of a format that is read',
    'JPEG, PNG and WebP are read: .jpg, .jpeg, .png, .webp',
  ],
  'image-absent': [
    'images that are not in the folder',
    'complete the folder, or take the annotations of the images that are there',
  ],
  'category-id': ['categories whose `id` is no whole number', 'number the categories'],
  'category-twice': ['categories with the `id` or the `name` of another', 'give each one of its own'],
  'category-name': ['categories without a `name`', 'name them'],
  'annotation-id': ['annotations whose `id` is no whole number', 'number the annotations'],
  'annotation-twice': [
    'annotations with the `id` of another',
    'give each annotation a number of its own, as the evaluation of COCO needs',
  ],
  'annotation-of': [
    'annotations whose `image_id` or `category_id` is no whole number',
    'write the `id` of an image and that of a category as numbers, as the lists have them',
  ],
  'unknown-image': [
    'annotations of images that are not listed',
    'list the images, or remove the annotations',
  ],
  'unknown-category': [
    'annotations of categories that are not listed',
    'list the categories, or remove the annotations',
  ],
  box: ['annotations whose `bbox` is not four numbers', 'write left, top, width and height in pixels'],
  area: [
    'annotations whose `area` is no number of 0 or more',
    'write the square pixels of the mask, or of the box where there is no mask',
  ],
  crowd: ['annotations whose `iscrowd` is neither 0 nor 1', 'write 0, or 1 for a group'],
  ignore: [
    'annotations with `ignore`, which neither COCO nor its evaluation knows',
    'remove them, or mark groups by `iscrowd`',
  ],
  segmentation: [
    'annotations whose `segmentation` is neither a list of polygons nor run lengths',
    'polygons are [[x0, y0, x1, y1, ...], ...], run lengths {"size": [height, width], "counts": ...}',
  ],
  coordinates: [
    'annotations with polygons whose coordinates are no numbers, or more than a million pixels away',
    'mend the polygons',
  ],
  'runs-size': [
    'annotations with run lengths of another size than their image',
    'mend `size`: [height, width]',
  ],
  'runs-sum': [
    'annotations with run lengths that are not as long as their image has pixels',
    'encode them again from the mask',
  ],
} as const satisfies { readonly [fault: string]: readonly [what: string, hint: string] };

export type Fault = keyof typeof faults;

export interface Finding {
  /** For messages: `has images with the id of another: 12, 14, 15`. */
  readonly message: string;
  readonly hint: string;
}

/** Collects what is wrong, by kind. */
export interface Findings {
  /** @param name the number of an entry, or its place in its list where it has none */
  add(fault: Fault, name: string | number): void;
  readonly count: number;
  list(): readonly Finding[];
}

/** So many are named; of the others there only is a count. */
const kept = 6;

export function openFindings(): Findings {
  const found = new Map<Fault, { count: number; names: string[] }>();
  return {
    add(fault, name) {
      const known = found.get(fault) ?? { count: 0, names: [] };
      known.count += 1;
      if (known.names.length < kept) known.names.push(String(name).slice(0, 200));
      found.set(fault, known);
    },
    get count() {
      return found.size;
    },
    list: () =>
      (Object.keys(faults) as Fault[]).flatMap((fault): Finding[] => {
        const known = found.get(fault);
        if (known === undefined) return [];
        const [what, hint] = faults[fault];
        const names = Object.assign(known.names, { length: known.count }) as readonly string[];
        return [{ message: `has ${what}: ${some(names)}`, hint }];
      }),
  };
}
