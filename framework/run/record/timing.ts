import type { JsonObject } from '../../stage/json.ts';
import { imagesPerSecond } from './provenance.ts';

/** A row of `timing.csv`: a stage that has a result, and what its provenance says. */
export interface Timing {
  readonly stage: string;
  readonly kind: string;
  readonly seed: number;
  readonly provenance: JsonObject;
  /** True if the result was there before this run, or another run made it meanwhile. */
  readonly reused: boolean;
}

export const timingColumns = [
  'stage',
  'kind',
  'seed',
  'wall_seconds',
  'images_per_second',
  'engine',
  'threads',
  'reused',
];

/**
 * The text of `timing.csv`; of a changed experiment it says how, as the tables do. Times are kept out of the ablation table, whose bytes depend on results only.
 * `wall_seconds` is of the stage's process; `images_per_second` is images used by that time, to four significant digits,
 * empty if it counts none.
 */
export async function formatTimings(
  timings: readonly Timing[],
  changes: readonly string[] = [],
): Promise<string> {
  const changed = changes.length > 0 ? [changes.join('; ')] : [];
  const { formatCsv } = await import('../../stage/csv.ts');
  const rows = timings.map(({ stage, kind, seed, provenance, reused }) => {
    const { seconds, engine, threads } = provenance;
    const rate = imagesPerSecond(provenance);
    return [
      stage,
      kind,
      seed,
      typeof seconds === 'number' ? seconds : undefined,
      rate === undefined ? undefined : Number(rate.toPrecision(4)),
      String(engine ?? ''),
      String(threads ?? ''),
      reused ? 'yes' : 'no',
      ...changed,
    ];
  });
  return formatCsv([[...timingColumns, ...changed.map(() => 'changed')], ...rows]);
}
