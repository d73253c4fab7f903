import type { WiredInput, WiringIssue } from '../../../framework/stage/component.ts';
import { expectAtMost, factOf } from '../../../framework/stage/expect.ts';
import { noClass } from '../targets.ts';
import { expectSize } from '../views/expect.ts';
import type { DetectionView } from './detection-view.ts';
import type { SegmentationView } from './segmentation-view.ts';

/** What a training of segmentation expects of its data: a size of pictures, and classes that a byte tells apart. */
export function expectSegmentationView(
  view: Pick<SegmentationView, 'size'>,
  data: WiredInput | undefined,
): WiringIssue[] {
  return [...expectSize(view, data), ...expectFewClasses(data)];
}

function expectFewClasses(data: WiredInput | undefined): WiringIssue[] {
  const classes = factOf(data, 'classes');
  if (classes === undefined || classes < noClass) return [];
  const message = `${data!.name} has ${classes} classes, more than ${noClass - 1}`;
  return [{ path: ['view'], message, hint: `a label is a byte, and ${noClass} is no class` }];
}

/**
 * What a training of detection expects of its data: a size of pictures into which its view fits.
 *
 * @param longer of the test's view, which has the same canvas
 */
export function expectDetectionView(
  view: Pick<DetectionView, 'size' | 'longer' | 'maskStride'>,
  data: WiredInput | undefined,
  { longer }: { readonly longer?: number | undefined } = {},
): WiringIssue[] {
  const sized = view.size === undefined ? data : { name: '`view`', facts: { size: view.size } };
  const size = factOf(sized, 'size');
  const { maskStride } = view;
  const fits = (value: number | undefined, path: WiringIssue['path']) =>
    value === undefined
      ? []
      : expectAtMost({ path, value }, sized, 'size', 'pictures lie in a square of that many pixels');
  return [
    ...expectSize(view, data),
    ...fits(view.longer, ['view', 'longer']),
    ...fits(longer, ['testView', 'longer']),
    ...(size === undefined || size % maskStride === 0
      ? []
      : [{ path: ['view', 'maskStride'], message: `expected a divisor of ${size}, the size of pictures` }]),
  ];
}
