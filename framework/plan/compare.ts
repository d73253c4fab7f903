import fs from 'node:fs';
import path from 'node:path';
import type { Fingerprint } from '../stage/keys.ts';
import { own } from '../stage/own.ts';
import type { Entry } from '../store/types.ts';
import { compareFingerprints, type Difference, type ReadDocument } from './differences.ts';

/** One of two things that are compared: an experiment as it is planned, or a run as it was recorded. */
export interface Side {
  readonly name: string;
  /** By stage id. */
  readonly stages: ReadonlyMap<string, SideStage>;
}

export interface SideStage {
  readonly fingerprint: Fingerprint;
  readonly entry?: Entry;
}

export interface StageDifference {
  readonly stage: string;
  readonly fields: readonly Difference[];
  readonly metrics: readonly MetricDifference[];
}

export interface MetricDifference {
  readonly metric: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

export interface SideComparison {
  readonly same: number;
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  /** In the order of the second side. */
  readonly different: readonly StageDifference[];
}

/** Stages with the same id, field by field, and their metrics where both have a result. */
export function compareSides(before: Side, after: Side, read: ReadDocument): SideComparison {
  const different: StageDifference[] = [];
  let same = 0;
  for (const [stage, now] of after.stages) {
    const then = before.stages.get(stage);
    if (!then) continue;
    const fields = compareFingerprints(then.fingerprint, now.fingerprint, read);
    const metrics = compareMetrics(then.entry, now.entry);
    if (fields.length + metrics.length === 0) same += 1;
    else different.push({ stage, fields, metrics });
  }
  return {
    same,
    onlyBefore: [...before.stages.keys()].filter((stage) => !after.stages.has(stage)),
    onlyAfter: [...after.stages.keys()].filter((stage) => !before.stages.has(stage)),
    different,
  };
}

/** Metrics of an entry by name; none if it has none. */
export function readMetrics(entry: Pick<Entry, 'dir'>): { readonly [metric: string]: number } {
  try {
    const text = fs.readFileSync(path.join(entry.dir, 'metrics.json'), 'utf8');
    return (JSON.parse(text) as { readonly metrics: { readonly [metric: string]: number } }).metrics;
  } catch {
    return {};
  }
}

function compareMetrics(before: Entry | undefined, after: Entry | undefined): MetricDifference[] {
  if (!before || !after || before.digest === after.digest) return [];
  const [then, now] = [readMetrics(before), readMetrics(after)];
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])].sort();
  return names
    .map((metric) => ({ metric, before: own(then, metric), after: own(now, metric) }))
    .filter(({ before, after }) => before !== after);
}
