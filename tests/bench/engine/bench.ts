import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { checkNames } from '../flags.ts';
import { Running } from './contender.ts';
import {
  type Choice,
  contendersOf,
  inspectPython,
  measureCommand,
  type Python,
  torchCommand,
} from './contenders.ts';
import { describeMachine } from './machine.ts';
import { measureInRounds } from './rounds.ts';
import { shapeOf, shapes } from './shapes.ts';
import { detailTable, type Found, footnotes, summaryTable } from './table.ts';

export interface BenchOptions {
  /** NAME or NAME:BATCH; absent: those of the targets. */
  readonly shapes: readonly string[] | undefined;
  readonly rounds: number;
  /** How long a contender computes in a round; two steps at least. */
  readonly seconds: number;
  /** Commands that start a Python with PyTorch. */
  readonly torch: readonly string[];
  /** Names of contenders, or how they begin; absent: all. */
  readonly only: readonly string[] | undefined;
  readonly wasm: boolean;
  /** On an NVIDIA GPU: TensorFlow beside PyTorch, as a block of text that can be sent in. */
  readonly gpu: boolean;
}

/** (1b) and (6) are measured when asked for. */
const usual = ['mim-small', 'mim-base', 'vqvae-small', 'vqvae-large', 'finetune-base'];
const usualOnGpu = ['mim-small:256', 'mim-base:64', 'mim-base:128', 'finetune-base:64', 'vqvae-large:32'];

const threads = os.availableParallelism();
const say = (line: string) => process.stdout.write(`${line}\n`);

/** What is being measured, on a terminal only. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/**
 * Measures all contenders in turn, round by round, each in a process of its own, and prints a table per shape and one of all
 * shapes. Throws PecoError for shapes and contenders that there aren't.
 */
export async function benchEngine(options: BenchOptions): Promise<void> {
  const { gpu, wasm, only } = options;
  const chosen = options.shapes ?? (gpu ? usualOnGpu : usual);
  checkNames('--shapes', chosen, Object.keys(shapes), {
    isKnown: (each) => shapeOf(each) !== undefined,
    more: 'NAME:BATCH for another batch',
  });
  const pythons = options.torch.map(inspectPython);
  const machine = await describeMachine(pythons, threads, gpu);
  for (const line of machine.lines) say(line);
  if (gpu && !machine.hasGpu) return;
  const { withoutTensorflow } = machine;
  const choice: Choice = {
    ...{ pythons, threads, wasm },
    device: gpu ? 'cuda' : 'cpu',
    ...(withoutTensorflow === undefined ? {} : { withoutTensorflow }),
  };
  const lists = chosen.map((shape) => ({ shape, list: contendersOf(shape, choice) }));
  const names = [...new Set(lists.flatMap(({ list }) => list.map(({ name }) => name)))];
  checkNames('--only', only ?? [], names, { isKnown: (each) => names.some((name) => isMeant(name, each)) });
  const peak = gpu ? undefined : await matmulPeak(pythons);
  if (peak !== undefined) say(`matrix product peak: ${peak.toFixed(0)} GFLOP/s in float32`);
  const all: Found[] = [];
  const states = fs.mkdtempSync(path.join(os.tmpdir(), 'peco-bench-'));
  process.env.PECO_BENCH_STATES = states;
  process.once('SIGINT', () => process.exit(130));
  process.once('exit', () => fs.rmSync(states, { recursive: true, force: true }));
  for (const { shape, list } of lists) {
    const wanted = list.filter(({ name }) => only?.some((each) => isMeant(name, each)) ?? true);
    const { title, batch } = shapeOf(shape)!;
    const contenders = await measureInRounds(wanted, {
      ...options,
      progress: (text) => progress(`${shape}, ${text}`),
    });
    const found: Found = { title, batch, contenders, gpu, ...(peak === undefined ? {} : { peak }) };
    progress('');
    for (const line of ['', title, '', ...detailTable(found), ...footnotes(found)]) say(line);
    all.push(found);
  }
  if (all.length > 1) for (const line of ['', ...summaryTable(all)]) say(line);
  const load = os.loadavg().map((each) => each.toFixed(1));
  say(`\nload of the last 1, 5 and 15 minutes: ${load.join(', ')}`);
}

/** By its name, or by how that begins. */
const isMeant = (name: string, only: string) => name === only || name.startsWith(`${only} `);

/** In GFLOP/s, the best that is found. */
async function matmulPeak(pythons: readonly Python[]): Promise<number> {
  const commands = [
    measureCommand('peak', 'onnx', String(threads)),
    ...pythons
      .filter(({ torch }) => torch)
      .map((python) => torchCommand(python, 'peak', 'eager', String(threads), 'cpu')),
  ];
  let best = 0;
  for (const command of commands) {
    const { gflops } = await new Running(command).answer<{ readonly gflops: number }>();
    best = Math.max(best, gflops);
  }
  return best;
}
