import type { Steps } from './contender.ts';
import type { Measured } from './rounds.ts';

/** One shape. */
export interface Found {
  readonly title: string;
  readonly batch: number;
  readonly contenders: readonly Measured[];
  readonly gpu: boolean;
  /** Of matrix products, in GFLOP/s. */
  readonly peak?: number;
}

const wall = ({ stepMs }: Steps) => median(stepMs);
const processor = ({ cpuMs }: Steps) => cpuMs;
const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
const ruled = (head: readonly string[]) => [row(head), row(head.map(() => '---'))];
const twoDigits = (value: number) => value.toFixed(2);

/** Of TensorFlow's and PyTorch's steps: how often they fit into one of `onnx`, or on a GPU of TensorFlow. */
const baseline = ({ gpu }: Found) => (gpu ? 'tensorflow' : 'onnx');

/** A row for each contender. Ratios are of each round, which has its own noise. */
export function detailTable(found: Found): string[] {
  const { contenders, gpu, batch, peak } = found;
  const base = baseline(found);
  const own = contenders.find(({ name }) => name === base);
  const flops = contenders.find(({ started }) => started?.flops)?.started?.flops;
  const head = [
    'contender',
    'step, ms',
    `times as fast as ${base}, each round`,
    ...(gpu
      ? ['images a second', 'memory of the GPU, MiB']
      : ['processor time of a step, s', 'by processor time']),
    ...(flops && peak ? ['share of peak'] : []),
    'resident memory, MiB: peak, afterwards',
    'compiling and first step, s',
  ];
  const rows = contenders.map(({ name, rounds, started, missing }) => {
    if (rounds.length === 0) return row([name, missing ?? '', ...head.slice(2).map(() => '')]);
    const ms = median(rounds.map(wall));
    const memory = (of: (steps: Steps) => number) => median(rounds.map(of)).toFixed(0);
    return row([
      name,
      ms.toFixed(ms < 100 ? 1 : 0),
      ratios(own, rounds, wall).map(twoDigits).join(', '),
      ...(gpu
        ? [((batch * 1000) / ms).toFixed(0), memory(({ gpuMiB }) => gpuMiB ?? 0)]
        : [
            twoDigits(median(rounds.map(processor)) / 1000),
            ratios(own, rounds, processor).map(twoDigits).join(', '),
          ]),
      ...(flops && peak ? [`${((flops / ms / 1e6 / peak) * 100).toFixed(0)} %`] : []),
      `${memory(({ peakMiB }) => peakMiB)}, ${memory(({ residentMiB }) => residentMiB)}`,
      (started!.compileMs / 1000).toFixed(1),
    ]);
  });
  return [...ruled(head), ...rows];
}

/** What failed after a first round, and what contenders said about themselves. */
export function footnotes({ contenders }: Found): string[] {
  const lines = contenders.flatMap(({ name, rounds, missing, started }) => [
    ...(missing !== undefined && rounds.length > 0 ? [`- ${name} failed: ${missing}`] : []),
    ...(started?.warnings ?? []).map((warning) => `- ${name}: ${warning}`),
  ]);
  return lines.length === 0 ? [] : ['', ...lines];
}

/** A row for each shape, a column for each contender: how many times as fast as `onnx`, in brackets by processor time. */
export function summaryTable(all: readonly Found[]): string[] {
  const base = baseline(all[0]!);
  const names = [...new Set(all.flatMap(({ contenders }) => contenders.map(({ name }) => name)))].filter(
    (name) => name !== base,
  );
  const rows = all.map(({ title, contenders }) => {
    const own = contenders.find(({ name }) => name === base);
    const cells = names.map((name) => {
      const rounds = contenders.find((each) => each.name === name)?.rounds ?? [];
      const [time, work] = [wall, processor].map((of) => ratios(own, rounds, of));
      return time!.length === 0 ? '' : `${twoDigits(median(time!))} (${twoDigits(median(work!))})`;
    });
    return row([
      title.split(' ')[0]!,
      own?.rounds.length ? median(own.rounds.map(wall)).toFixed(0) : '',
      ...cells,
    ]);
  });
  return [...ruled(['shape', `${base}, ms`, ...names]), ...rows];
}

function ratios(own: Measured | undefined, rounds: readonly Steps[], of: (steps: Steps) => number): number[] {
  return rounds.flatMap((each, index) => {
    const mine = own?.rounds[index];
    return mine ? [of(mine) / of(each)] : [];
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
