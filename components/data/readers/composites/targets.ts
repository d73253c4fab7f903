import { encodeMask, maskBox } from '../../masks/runs.ts';
import { type ImageInstances, type Instance, type LabelMap, noClass } from '../../targets.ts';
import { CLASSES } from '../fashion-mnist/contents.ts';
import type { Layout } from './scene/layout.ts';

export type CompositesTarget = 'class' | 'label map' | 'instances';

/** Most objects of a scene: their annotations are numbered by it. */
export const mostObjects = 8;

const withBackground = ['background', ...CLASSES] as const;

/** Names of the classes of a target: in label maps the background, clutter included, is the first. */
export function classesOf(target: CompositesTarget): readonly string[] {
  return target === 'label map' ? withBackground : CLASSES;
}

/** The class of the object of which most is visible; of two that are equal, that further behind. */
export function largestClass({ things, visible }: Layout): number {
  let largest = visible[0]!;
  for (const one of visible) if (one.area > largest.area) largest = one;
  return things[largest.place]!.class;
}

/** Pixels of an object of which too little is visible are of no class. */
export function labelMapOf({ things, owners, visible }: Layout): LabelMap {
  const classes = new Uint8Array(things.length + 1).fill(noClass);
  classes[0] = 0;
  for (const { place } of visible) classes[place + 1] = things[place]!.class + 1;
  const numbers = owners.pixels.map((owner) => classes[owner]!);
  return { format: 'raw', numbering: 'from-0', numbers, height: owners.size, width: owners.size };
}

/**
 * Boxes and masks of what is visible, from back to front.
 *
 * @param firstId number of the first of its annotations
 */
export function instancesOf(
  { things, owners, visible }: Layout,
  imageId: number,
  firstId: number,
): ImageInstances {
  const { size } = owners;
  const instances = visible.map(({ place, area }, n): Instance => {
    const bitmap = owners.pixels.map((owner) => (owner === place + 1 ? 1 : 0));
    const mask = encodeMask(bitmap, { height: size, width: size });
    return { id: firstId + n, class: things[place]!.class, box: maskBox(mask), area, crowd: false, mask };
  });
  return { imageId, height: size, width: size, instances };
}
