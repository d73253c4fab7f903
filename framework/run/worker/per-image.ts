import type { StageResult } from '../../stage/contract.ts';
import { StageError } from '../../stage/stage-error.ts';

/** How far the mean of values may be from their metric, for rounding of another order of sums. */
const rounding = 1e-6;

/**
 * The text of `per-image.json`: names sorted, so that the same values are the same bytes.
 *
 * @throws StageError that names values which are no finite numbers, or whose mean is no metric of the stage
 */
export function formatPerImage(
  perImage: NonNullable<StageResult['perImage']>,
  metrics: NonNullable<StageResult['metrics']>,
): string {
  const sorted = Object.entries(perImage).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, values] of sorted) {
    const all = Array.from(values);
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    const metric = Object.hasOwn(metrics, name) ? metrics[name]! : undefined;
    if (metric !== undefined && Math.abs(mean - metric) <= rounding * Math.max(1, Math.abs(metric))) continue;
    throw new StageError(
      `\`perImage\` has ${all.length} values of "${name}" with the mean ${mean}; the metric is ${metric ?? 'not there'}`,
      { hint: 'return a metric of that name, the mean of a finite value for each test image' },
    );
  }
  return `${JSON.stringify(Object.fromEntries(sorted.map(([name, values]) => [name, Array.from(values)])))}\n`;
}
