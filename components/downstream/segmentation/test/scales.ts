import { edgesOf } from '../../../data/dense/segmentation-view.ts';
import type { TestOptions } from './evaluate.ts';

interface TestView {
  readonly shorter?: number | undefined;
  readonly longer?: number | undefined;
  readonly scales: readonly number[];
  readonly stride?: number | undefined;
  readonly flip: boolean;
}

/** A scale of a test, and how often it is asked for. */
export interface Scale {
  readonly scale: number;
  readonly weight: number;
}

/**
 * The scales of a test by windows of so many pixels: none makes the shorter edge of a picture less than a window, as BEiT's
 * `SETR_Resize` sees to it; scales that come to the same are looked at once.
 */
export function scalesOf(view: TestView, size: number): Scale[] {
  const { shorter } = edgesOf(view, size);
  const counts = new Map<number, number>();
  for (const asked of view.scales) {
    const scale = Math.max(asked, size / shorter);
    counts.set(scale, (counts.get(scale) ?? 0) + 1);
  }
  return [...counts].map(([scale, weight]) => ({ scale, weight }));
}

/** How a test looks at pictures. */
export function testOptions(
  { testView, view }: { readonly testView: TestView; readonly view: { readonly fill: readonly number[] } },
  size: number,
): TestOptions {
  const { stride = Math.max(1, Math.floor((2 * size) / 3)), flip } = testView;
  const weights = scalesOf(testView, size).map(({ weight }) => weight);
  return { size, stride, weights, flip, fill: view.fill };
}
