import type { JsonObject } from '../stage/json.ts';
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

const columns = ['stage', 'kind', 'seed', 'wall_seconds', 'images_per_second', 'engine', 'threads', 'reused'];

/**
 * The text of `timing.csv`. Times are kept out of the ablation table, whose bytes depend on results only.
 * `wall_seconds` is of the stage's process; `images_per_second` is images used by that time, empty if it counts none.
 */
export async function formatTimings(timings: readonly Timing[]): Promise<string> {
  const { stringify } = await import('csv-stringify/sync');
  const rows = timings.map(({ stage, kind, seed, provenance, reused }) => [
    stage,
    kind,
    String(seed),
    typeof provenance.seconds === 'number' ? provenance.seconds.toFixed(2) : '',
    imagesPerSecond(provenance)?.toFixed(1) ?? '',
    String(provenance.engine ?? ''),
    String(provenance.threads ?? ''),
    reused ? 'yes' : 'no',
  ]);
  return stringify([columns, ...rows], { escape_formulas: true });
}
