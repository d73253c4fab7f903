import type { WiredInput, WiringIssue } from '../../framework/stage/component.ts';

type Sized = { readonly size?: number | undefined };

/** What is known of data as a view shows it: its size is that of the pictures. */
export function viewed({ size }: Sized, data: WiredInput | undefined): WiredInput | undefined {
  if (size === undefined) return data;
  return { name: data?.name ?? 'the data', facts: { ...data?.facts, size } };
}

/** That the pictures of a view have a size: its own, or the one that all images have. */
export function expectView({ size }: Sized, data: WiredInput | undefined): WiringIssue[] {
  // Data that says nothing is believed to have one.
  if (size !== undefined || data?.facts.size !== null) return [];
  const message = `is missing: the images of ${data.name} have no size in common`;
  return [{ path: ['view', 'size'], message, hint: 'give the view a size: `view: { size: 224 }`' }];
}
