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

/** Significant digits of metrics on drawn test sets: their noise is in the second or third. */
const drawnDigits = 6;

/**
 * The text of `resampled.json`: names sorted, so that the same values are the same bytes.
 *
 * @throws StageError that names values which are no finite numbers, not as many as others, or of no metric of the stage
 */
export function formatResampled(
  { images, draws, values }: NonNullable<StageResult['resampled']>,
  metrics: NonNullable<StageResult['metrics']>,
): string {
  const sorted = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  const count = sorted[0]?.[1].length ?? 0;
  for (const [name, own] of sorted) {
    const isMetric = Object.hasOwn(metrics, name);
    if (isMetric && own.length === count && count > 0 && Array.from(own).every(Number.isFinite)) continue;
    throw new StageError(
      `\`resampled\` has ${own.length} values of "${name}"${isMetric ? '' : ', which is no metric of the stage'}`,
      { hint: 'return a finite value of a metric for each test set, of all metrics as many' },
    );
  }
  const rounded = sorted.map(
    ([name, own]) => [name, Array.from(own, (value) => Number(value.toPrecision(drawnDigits)))] as const,
  );
  return `${JSON.stringify({ images, draws, values: Object.fromEntries(rounded) })}\n`;
}
