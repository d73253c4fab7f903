/**
 * Makes `tiny/`: a folder like COCO 2017, small enough to ship. Smoke runs and tests read it.
 *
 *     node --import=tsx components/data/readers/coco/make-tiny.ts
 *
 * Its scenes are those of tiny-scenes.ts. It has what the real files have: categories with gaps in their numbers, images and
 * annotations in no order, polygons of several parts, groups as run lengths, an image without annotations, grey JPEGs.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { random } from '../../../nn/random.ts';
import { encodeMask, maskArea, maskBox } from '../../masks/runs.ts';
import { makeScenes, outlinesOf, type Scene, type SceneClass } from '../tiny-scenes.ts';
import { cocoCategories } from './classes.ts';
import { type CocoSplit, placesOf } from './layout.ts';
import { tinyCoco } from './tiny.ts';

/** Class of Fashion-MNIST -> a category of COCO; few of its categories are things to wear. */
const names: { readonly [label in SceneClass]: string } = {
  0: 'person',
  2: 'teddy bear',
  3: 'umbrella',
  4: 'backpack',
  5: 'skateboard',
  7: 'car',
  8: 'handbag',
  9: 'suitcase',
};

interface Annotation {
  readonly segmentation: number[][] | { readonly counts: number[]; readonly size: number[] };
  readonly area: number;
  readonly iscrowd: 0 | 1;
  readonly image_id: number;
  readonly bbox: readonly number[];
  readonly category_id: number;
  readonly id: number;
}

async function makeTiny(root: string): Promise<void> {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(path.join(root, 'annotations'), { recursive: true });
  for (const [split, source] of [
    ['train2017', 'train'],
    ['val2017', 'test'],
  ] as const)
    await makeSplit(root, split, makeScenes(source, tinyCoco.images[split], 'tiny-coco'));
}

async function makeSplit(root: string, split: CocoSplit, scenes: readonly Scene[]): Promise<void> {
  const places = placesOf({ root, split })!;
  mkdirSync(places.images);
  const images: object[] = [];
  const annotations: Annotation[] = [];
  for (const [n, scene] of scenes.entries()) {
    const { height, width, colours } = scene;
    const id = (split === 'train2017' ? 9 + 37 * n : 139 + 41 * n) + ((n * n) % 11);
    const name = `${String(id).padStart(12, '0')}.jpg`;
    const image = sharp(colours, { raw: { height, width, channels: 3 } });
    const painted = n % 12 === 5 ? image.toColourspace('b-w') : image;
    writeFileSync(path.join(places.images, name), await painted.jpeg({ quality: 75 }).toBuffer());
    images.push({ license: 1, file_name: name, height, width, id });
    annotations.push(...annotationsOf(scene, n, id));
  }
  const shuffled = <T>(list: readonly T[], what: string): T[] =>
    Array.from(random(0, 'tiny-coco', split, what).permutation(list.length), (place) => list[place]!);
  const text = JSON.stringify({
    info: { description: 'Composites of Fashion-MNIST items in the format of COCO 2017', year: 2026 },
    licenses: [{ url: 'https://opensource.org/license/mit', id: 1, name: 'MIT' }],
    images: shuffled(images, 'images'),
    annotations: shuffled(annotations, 'annotations'),
    categories: cocoCategories,
  });
  writeFileSync(places.annotations, text);
}

/** Of some scenes the objects become one group, in others the first one has run lengths. */
function annotationsOf({ height, width, objects }: Scene, n: number, image: number): Annotation[] {
  const isGroup = n % 12 === 7;
  const masks = isGroup ? [union(objects.map(({ mask }) => mask))] : objects.map(({ mask }) => mask);
  return masks.map((mask, place) => {
    const runs = encodeMask(mask, { height, width });
    const outlines =
      isGroup || (n % 12 === 9 && place === 0) ? undefined : outlinesOf(mask, { height, width });
    return {
      segmentation: outlines ?? { counts: [...runs.counts], size: [height, width] },
      area: maskArea(runs),
      iscrowd: isGroup ? 1 : 0,
      image_id: image,
      bbox: maskBox(runs),
      category_id: cocoCategories.find(({ name }) => name === names[objects[place]!.class])!.id,
      id: 1000 * (n + 1) + 7 * place,
    };
  });
}

function union(masks: readonly Uint8Array[]): Uint8Array {
  return masks[0]!.map((_, place) => (masks.some((mask) => mask[place] === 1) ? 1 : 0));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await makeTiny(tinyCoco.root);
