import { disk } from '../../../../framework/stage/disk.ts';
import { BadJson, type ListElement, readLists } from '../../decode/json-lists.ts';
import { whyUnread } from '../folder.ts';
import { type Column, openColumn, orderOf, repeatedIn } from './columns.ts';
import {
  type Entry,
  faultOfCategory,
  faultOfImage,
  isOutside,
  isWhole,
  nameOf,
  readInstance,
} from './entries.ts';
import { type Finding, type Findings, openFindings } from './findings.ts';
import { type Examples, kindOf } from './kinds.ts';

/** What a file of annotations holds, without the annotations themselves: those are read again where they are asked for. */
export interface Annotations {
  /** In the order of their numbers. */
  readonly images: Images;
  /** In the order of their numbers: a class is its place. */
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  /** Image by image, and in the order of the file. */
  readonly entries: Entries;
  readonly counts: Counts;
}

export interface Images {
  readonly ids: Float64Array;
  readonly heights: Float64Array;
  readonly widths: Float64Array;
  /** Paths below the folder of images. */
  readonly names: readonly string[];
  /** 1: it has an object that is learnt from, no group. */
  readonly hasObjects: Uint8Array;
}

/** Where the annotations are in the file, in bytes: those of image i from `first[i]` to before `first[i + 1]`. */
export interface Entries {
  readonly first: Uint32Array;
  readonly starts: Float64Array;
  readonly lengths: Float64Array;
}

export interface Counts {
  readonly objects: number;
  readonly crowds: number;
  /** Objects without a mask, as annotations of boxes have them. */
  readonly bare: number;
  /** Outlines that are none: fewer than three points, or half a point. */
  readonly outlines: number;
  /** Objects all of whose outlines are none. */
  readonly empty: number;
  /** Objects whose box has nothing of the image in it. */
  readonly outside: number;
}

/**
 * Reads a file of annotations once, one entry after the other, so that memory grows by some numbers an annotation. All that
 * is wrong with it is said at once.
 */
export function readAnnotations(file: string): Annotations | { readonly problems: readonly Finding[] } {
  const reading = openReading();
  try {
    const fields = readLists(disk.parts(file), ['images', 'annotations', 'categories'], reading.take);
    const other = kindOf(fields, reading.examples);
    if (other !== undefined) return { problems: [other] };
    // Masks are compared with the sizes of images, which come first in files as COCO distributes them.
    if (reading.again()) readLists(disk.parts(file), ['annotations'], reading.take);
  } catch (error) {
    if (error instanceof BadJson) {
      const { message, hint = 'download or make it again' } = error;
      return { problems: [{ message, hint }] };
    }
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return { problems: [{ message: whyUnread(error), hint: 'give a file that can be read' }] };
  }
  return reading.finish();
}

interface Reading {
  readonly take: (element: ListElement) => void;
  readonly examples: Examples;
  /** Whether annotations came before images: then they have to be taken once more. */
  again(): boolean;
  finish(): Annotations | { readonly problems: readonly Finding[] };
}

function openReading(): Reading {
  const findings = openFindings();
  const images = openImages(findings);
  const annotations = openAnnotations(findings, images);
  const categories: { id: number; name: string }[] = [];
  const examples: { [list: string]: Entry } = {};
  let tooEarly = false;

  function take(element: ListElement): void {
    const { list, index } = element;
    const parsed = element.parse();
    const entry = (typeof parsed === 'object' && parsed !== null ? parsed : {}) as Entry;
    examples[list] ??= entry;
    if (list === 'images') images.take(entry, index);
    else if (list === 'categories') {
      const fault = faultOfCategory(entry);
      if (fault === undefined) categories.push({ id: entry.id as number, name: entry.name as string });
      else findings.add(fault, nameOf(entry, index));
    } else if (images.count() === 0) tooEarly = true;
    else annotations.take(entry, element);
  }

  return {
    ...{ take, examples },
    again: () => tooEarly && images.count() > 0,
    finish() {
      categories.sort((a, b) => a.id - b.id);
      noteRepeated(categories, findings);
      const inOrder = images.inOrder();
      const entries = annotations.byImage(
        inOrder.order,
        categories.map(({ id }) => id),
      );
      if (findings.count > 0) return { problems: findings.list() };
      const { order, ...columns } = inOrder;
      const hasObjects = Uint8Array.from(order, (place) => annotations.hasObjects(place));
      return { images: { ...columns, hasObjects }, categories, entries, counts: annotations.counts };
    },
  };
}

function noteRepeated(
  categories: readonly { readonly id: number; readonly name: string }[],
  findings: Findings,
): void {
  const ids = new Set<number>();
  const names = new Set<string>();
  for (const { id, name } of categories) {
    if (ids.has(id) || names.has(name)) findings.add('category-twice', `${id} (${name})`);
    ids.add(id);
    names.add(name);
  }
}

type OrderedImages = Omit<Images, 'hasObjects'> & { readonly order: Uint32Array };

interface ReadImages {
  take(entry: Entry, index: number): void;
  count(): number;
  /** Place in the file, by number. */
  place(id: number): number | undefined;
  sizeAt(place: number): { readonly height: number; readonly width: number };
  inOrder(): OrderedImages;
}

function openImages(findings: Findings): ReadImages {
  const [ids, heights, widths] = [openColumn(), openColumn(), openColumn()];
  const names: string[] = [];
  const places = new Map<number, number>();
  let seen = 0;
  return {
    take(entry, index) {
      seen += 1;
      const fault = faultOfImage(entry);
      if (fault !== undefined) findings.add(fault, nameOf(entry, index));
      const { id, height, width, file_name: file } = entry;
      if (!isWhole(id)) return;
      if (places.has(id)) {
        findings.add('image-twice', id);
        return;
      }
      places.set(id, ids.length);
      ids.push(id);
      heights.push(Number(height));
      widths.push(Number(width));
      names.push(String(file));
    },
    count: () => seen,
    place: (id) => places.get(id),
    sizeAt: (place) => ({ height: heights.at(place), width: widths.at(place) }),
    inOrder() {
      const order = orderOf(ids.values());
      const sorted = ({ at }: Column) => Float64Array.from(order, at);
      return {
        ...{ order, ids: sorted(ids), heights: sorted(heights), widths: sorted(widths) },
        names: Array.from(order, (place) => names[place]!),
      };
    },
  };
}

interface ReadEntries {
  take(entry: Entry, element: ListElement): void;
  readonly counts: Counts;
  hasObjects(place: number): number;
  /** Sorts them by images, and notes repeated numbers and categories that there aren't. */
  byImage(order: Uint32Array, categories: readonly number[]): Entries;
}

function openAnnotations(findings: Findings, images: ReadImages): ReadEntries {
  const [ids, owners, kinds] = [openColumn(), openColumn(), openColumn()];
  const [starts, lengths] = [openColumn(), openColumn()];
  const counts = { objects: 0, crowds: 0, bare: 0, outlines: 0, empty: 0, outside: 0 };
  const withObjects = new Set<number>();

  function take(entry: Entry, { index, start, length }: ListElement): void {
    const { image_id: image, category_id: category } = entry;
    if (!isWhole(image) || !isWhole(category)) {
      findings.add('annotation-of', nameOf(entry, index));
      return;
    }
    const owner = images.place(image);
    if (owner === undefined) {
      findings.add('unknown-image', nameOf(entry, index));
      return;
    }
    const size = images.sizeAt(owner);
    const read = readInstance(entry, size);
    if (read.fault !== undefined) findings.add(read.fault, nameOf(entry, index));
    else {
      const { instance, leftOut } = read;
      const isEmpty = instance.mask !== undefined && 'counts' in instance.mask && leftOut > 0;
      counts.outlines += leftOut;
      if (instance.crowd) counts.crowds += 1;
      else {
        counts.objects += 1;
        if (instance.mask === undefined) counts.bare += 1;
        if (isEmpty) counts.empty += 1;
        else withObjects.add(owner);
        if (isOutside(instance.box, size)) counts.outside += 1;
      }
    }
    for (const [column, value] of [
      [ids, entry.id],
      [owners, owner],
      [kinds, category],
      [starts, start],
      [lengths, length],
    ] as const)
      column.push(isWhole(value) ? value : Number.NaN);
  }

  return {
    ...{ take, counts },
    hasObjects: (place) => (withObjects.has(place) ? 1 : 0),
    byImage(order, categories) {
      for (const id of repeatedIn(ids.values().filter(Number.isFinite))) findings.add('annotation-twice', id);
      const known = new Set(categories);
      const [names, each] = [ids.values(), kinds.values()];
      for (let n = 0; n < each.length; n++)
        if (!known.has(each[n]!)) findings.add('unknown-category', names[n]!);
      const rank = new Uint32Array(order.length);
      for (const [place, image] of order.entries()) rank[image] = place;
      return groupByImage(
        rank,
        [owners, starts, lengths].map(({ values }) => values()),
      );
    },
  };
}

/** Sorts by the rank of the owner, by counting. */
function groupByImage(rank: Uint32Array, [owners, from, size]: readonly Float64Array[]): Entries {
  const first = new Uint32Array(rank.length + 1);
  for (let n = 0; n < owners!.length; n++) first[rank[owners![n]!]! + 1]! += 1;
  for (let image = 0; image < rank.length; image++) first[image + 1]! += first[image]!;
  const next = first.slice();
  const starts = new Float64Array(owners!.length);
  const lengths = new Float64Array(owners!.length);
  for (let n = 0; n < owners!.length; n++) {
    const place = next[rank[owners![n]!]!]!++;
    starts[place] = from![n]!;
    lengths[place] = size![n]!;
  }
  return { first, starts, lengths };
}
