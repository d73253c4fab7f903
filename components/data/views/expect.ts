import type { WiredInput, WiringIssue } from '../../../framework/stage/component.ts';
import { factOf } from '../../../framework/stage/expect.ts';
import type { Crop } from './view.ts';

/** The part of a view that says how large images are. */
interface Sized {
  readonly size?: number | undefined;
}

/** The part that can be at odds with that. */
interface Cropped extends Sized {
  readonly crop?: Crop;
}

/**
 * Data as a training sees it, for `expects`: where its view says a size, images have that one.
 */
export function seenBy({ size }: Sized, data: WiredInput | undefined): WiredInput | undefined {
  if (size === undefined || !data) return data;
  return { name: '`view`', facts: { ...data.facts, size } };
}

/** Images of different sizes need a view that says one, and what is moved must not be moved out of sight. */
export function expectSize(view: Cropped, data: WiredInput | undefined): WiringIssue[] {
  if (view.size !== undefined || data?.facts.size !== null) return expectInSight(view, data);
  const hint = `the images of ${data.name} differ in size: give the view one`;
  return [{ path: ['view', 'size'], message: 'is missing', hint }];
}

function expectInSight(view: Cropped, data: WiredInput | undefined): WiringIssue[] {
  const size = factOf(seenBy(view, data), 'size') ?? view.size;
  if (size === undefined || view.crop?.kind !== 'shift' || view.crop.distance < size) return [];
  const hint = `images have ${size} pixels a side: moved further, nothing of them is left`;
  return [{ path: ['view', 'crop', 'distance'], message: `expected at most ${size - 1}`, hint }];
}

/** A crop that shifts moves whole pixels: another picture of the same images has their size. */
export function expectSameShift(
  view: Cropped,
  other: { readonly path: readonly string[]; readonly size: number },
  data: WiredInput | undefined,
): WiringIssue[] {
  const size = view.size ?? factOf(data, 'size');
  if (view.crop?.kind !== 'shift' || size === undefined || size === other.size) return [];
  const hint =
    'a crop that shifts moves whole pixels of pictures of one size: choose another `view.crop`, such as `random-resized`';
  return [{ path: other.path, message: `expected ${size}, the size of the view`, hint }];
}
