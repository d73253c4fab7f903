import type { Sample } from './measure.ts';

/** A contender and its samples, one a round. */
export interface Row {
  readonly name: string;
  readonly stages?: number;
  readonly samples: readonly Sample[];
  /** Of `node -e 0`, each measured right before the sample. */
  readonly bases: readonly Sample[];
}

/** Lines of a markdown table. Ratios are to `node -e 0` right before; its row has all of these. */
export function formatRows(rows: readonly Row[]): string[] {
  const lines = [
    '| command | stages | median, ms | min, ms | / node, median of rounds | / node, of minima | user+sys, ms | peak, MiB |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
  ];
  for (const { name, stages, samples, bases } of rows) {
    const walls = samples.map(({ wallMs }) => wallMs);
    const nodes = bases.map(({ wallMs }) => wallMs);
    const ratios = walls.map((wall, round) => wall / nodes[round]!);
    const cells = [
      name,
      stages === undefined ? '' : String(stages),
      median(walls).toFixed(0),
      Math.min(...walls).toFixed(0),
      median(ratios).toFixed(2),
      (Math.min(...walls) / Math.min(...nodes)).toFixed(2),
      formatMedian(samples.map(({ cpuMs }) => cpuMs)),
      formatMedian(samples.map(({ peakMiB }) => peakMiB)),
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines;
}

/** What a stage more costs, from the smallest to the largest graph of each command that was measured with both. */
export function formatSlopes(rows: readonly Row[]): string[] {
  const lines = [
    '| command | stages | ms per further stage (median of rounds) | from minima |',
    '| --- | ---: | ---: | ---: |',
  ];
  for (const name of new Set(rows.map((row) => row.name))) {
    const sized = rows.filter((row) => row.name === name && row.stages !== undefined);
    sized.sort((a, b) => a.stages! - b.stages!);
    for (const [index, large] of sized.slice(1).entries()) {
      const small = sized[index]!;
      const further = large.stages! - small.stages!;
      const each = large.samples.map(
        ({ wallMs }, round) => (wallMs - small.samples[round]!.wallMs) / further,
      );
      const minima = (fastest(large) - fastest(small)) / further;
      lines.push(
        `| ${name} | ${small.stages} -> ${large.stages} | ${median(each).toFixed(3)} | ${minima.toFixed(3)} |`,
      );
    }
  }
  return lines;
}

/** Median over rounds of how much longer one took than another, in ms. */
export function medianDifference(longer: Row, shorter: Row): number {
  return median(longer.samples.map(({ wallMs }, round) => wallMs - shorter.samples[round]!.wallMs));
}

export function fastest({ samples }: Row): number {
  return Math.min(...samples.map(({ wallMs }) => wallMs));
}

function formatMedian(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? '' : median(known).toFixed(0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
