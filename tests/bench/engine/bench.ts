import { spawnSync } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { shapes } from './shapes.ts';

export interface BenchOptions {
  readonly shapes: readonly string[] | undefined;
  readonly rounds: number;
  /** Commands that start a Python with PyTorch; each is measured eagerly and, from 2.0 on, with torch.compile. */
  readonly torch: readonly string[];
  readonly wasm: boolean;
}

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
}

interface Measured {
  readonly stepMs: readonly number[];
  readonly compileMs: number;
  readonly peakMiB: number;
  readonly flops?: number;
}

const threads = os.availableParallelism();
const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const node = [process.execPath, '--import=tsx', '--conditions=peco-source', path('measure.ts')];
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Measures all contenders in turn, round by round, each in a process of its own, and prints a table per shape. */
export async function benchEngine(options: BenchOptions): Promise<void> {
  const chosen = options.shapes ?? Object.keys(shapes);
  const pythons = options.torch.filter((command) => torchVersion(command) !== undefined);
  for (const command of options.torch) say(`${command}: PyTorch ${torchVersion(command) ?? 'not found'}`);
  const peak = Math.max(...matmulPeaks(pythons));
  say(
    `${os.cpus()[0]?.model ?? 'unknown CPU'}, ${threads} threads; matrix product peak ${peak.toFixed(0)} GFLOP/s`,
  );
  for (const shape of chosen) {
    const { title } = shapes[shape]!;
    say(`\n${title}\n`);
    const found = measureAll(shape, contenders(shape, pythons, options.wasm), options.rounds);
    for (const line of table(found, peak)) say(line);
  }
}

function contenders(shape: string, pythons: readonly string[], wasm: boolean): Contender[] {
  const steps = shape.endsWith('small') ? '8' : '2';
  const list: Contender[] = [{ name: 'onnx', command: [...node, shape, 'onnx', String(threads), steps] }];
  // tfjs's WebAssembly backend has no gradients of convolutions and gather.
  if (wasm && shape === 'finetune-small')
    list.push({ name: 'tfjs-wasm', command: [...node, shape, 'wasm', '1', '1'] });
  for (const python of pythons) {
    const version = torchVersion(python)!;
    const modes = ['eager', ...(shape.startsWith('vqvae') ? ['eager-nhwc'] : [])];
    if (Number(version.split('.')[0]) >= 2) modes.push('compile');
    for (const mode of modes) {
      const command = [...python.split(' '), path('torch_steps.py'), shape, mode, String(threads), steps];
      list.push({ name: `torch ${version} ${mode}`, command });
    }
  }
  return list;
}

function measureAll(
  shape: string,
  list: readonly Contender[],
  rounds: number,
): Map<string, (Measured | undefined)[]> {
  const found = new Map<string, (Measured | undefined)[]>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, command } of list) {
      const measured = runJson<Measured>(command);
      if (!measured) process.stderr.write(`${shape}: ${name} failed\n`);
      found.set(name, [...(found.get(name) ?? []), measured]);
    }
  }
  return found;
}

/** Median step of each round; ratios are taken within a round. */
function table(found: ReadonlyMap<string, readonly (Measured | undefined)[]>, peak: number): string[] {
  const own = found.get('onnx')!;
  const lines = [
    '| engine | step, ms | its step / ours (each round) | share of peak | peak memory, MiB | first step or compiling, ms |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  for (const [name, rounds] of found) {
    const good = rounds.filter((each) => each !== undefined);
    if (good.length === 0) {
      lines.push(`| ${name} | failed | | | | |`);
      continue;
    }
    const ratios = rounds.flatMap((each, i) =>
      each && own[i] ? [median(each.stepMs) / median(own[i].stepMs)] : [],
    );
    const step = median(good.map((each) => median(each.stepMs)));
    const flops = own.find((each) => each)?.flops;
    lines.push(
      `| ${[
        name,
        step.toFixed(0),
        name === 'onnx' ? '1' : ratios.map((ratio) => ratio.toFixed(2)).join(', '),
        flops ? `${((flops / step / 1e6 / peak) * 100).toFixed(0)} %` : '',
        median(good.map((each) => each.peakMiB)).toFixed(0),
        median(good.map((each) => each.compileMs)).toFixed(0),
      ].join(' | ')} |`,
    );
  }
  return lines;
}

function matmulPeaks(pythons: readonly string[]): number[] {
  const commands = [
    [...node, 'peak', 'onnx', String(threads), '0'],
    ...pythons.map((python) => [
      ...python.split(' '),
      path('torch_steps.py'),
      'peak',
      'eager',
      String(threads),
      '0',
    ]),
  ];
  return commands.map((command) => runJson<{ gflops: number }>(command)?.gflops ?? 0);
}

const versions = new Map<string, string | undefined>();

function torchVersion(command: string): string | undefined {
  if (!versions.has(command)) {
    const [program, ...rest] = command.split(' ');
    const { stdout, status } = spawnSync(
      program!,
      [...rest, '-c', 'import torch; print(torch.__version__)'],
      {
        encoding: 'utf8',
      },
    );
    versions.set(command, status === 0 ? stdout.trim() : undefined);
  }
  return versions.get(command);
}

function runJson<T>([program, ...rest]: readonly string[]): T | undefined {
  const { stdout, status } = spawnSync(program!, rest, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? (JSON.parse(stdout.trim().split('\n').at(-1)!) as T) : undefined;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
