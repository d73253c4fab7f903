import type { WiredInput, WiringIssue } from '../../../framework/stage/component.ts';

/** The part of a view that says how large images are. */
interface Sized {
  readonly size?: number | undefined;
}

/**
 * Data as a training sees it, for `expects`: where its view says a size, images have that one.
 */
export function seenBy({ size }: Sized, data: WiredInput | undefined): WiredInput | undefined {
  if (size === undefined || !data) return data;
  return { name: '`view`', facts: { ...data.facts, size } };
}

/** Images of different sizes need a view that says one. */
export function expectSize({ size }: Sized, data: WiredInput | undefined): WiringIssue[] {
  if (size !== undefined || data?.facts.size !== null) return [];
  const hint = `the images of ${data.name} differ in size: give the view one`;
  return [{ path: ['view', 'size'], message: 'is missing', hint }];
}
