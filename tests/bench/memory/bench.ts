import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../../../framework/run/record/events.ts';
import { findStageProcess } from '../../support/small.ts';
import { makeImages } from './make-images.ts';

export interface MemoryBench {
  /** Files in the folder: the data of both stages. */
  readonly images: number;
  readonly steps: number;
}

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** Tiny networks, so that reading, decoding and resizing are what takes the time. */
const experimentOf = ({ images, steps }: MemoryBench): string => `
import {
  ablationTable, defineExperiment, imageFolder, linearProbe, maskedImageModelling, tokenizerEvaluation, vit, vqvae,
} from 'peco-exp';

const view = { size: 64, crop: { kind: 'random-resized' } } as const;

export default defineExperiment({
  name: 'memory',
  seeds: [0],
  data: { train: imageFolder({ root: 'images' }), test: imageFolder({ root: 'images' }) },
  tokenizers: {
    pixel: vqvae({
      width: 16, residualBlocks: 0, stride: 16, codebook: { size: 64, dim: 8 }, steps: 20, batchSize: 32, view,
    }),
  },
  evaluation: tokenizerEvaluation({ images: ${images}, probeLabels: 0, view: { size: 64 } }),
  pretraining: {
    base: maskedImageModelling({
      backbone: vit({ dim: 32, depth: 2, heads: 2, patch: 16 }), steps: ${steps}, batchSize: 64, view,
    }),
  },
  downstream: { probe: linearProbe({ layer: 1, labels: 10, view: { size: 64 } }) },
  baseline: 'pixel',
  report: ablationTable({}),
});
`;

/** Resident memory of a stage's process, MiB, every half second. */
type Samples = number[];

/** The processes of stages as the real command line starts them, on a folder that is made for it. Linux only. */
export async function benchMemory(options: MemoryBench): Promise<void> {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'peco-memory-')));
  try {
    say(`making ${options.images.toLocaleString('en-US')} JPEG images of 256 x 256 pixels`);
    await makeImages(path.join(dir, 'images'), options.images);
    fs.mkdirSync(path.join(dir, 'node_modules'));
    fs.symlinkSync(repository, path.join(dir, 'node_modules/peco-exp'));
    fs.writeFileSync(path.join(dir, 'package.json'), '{ "name": "memory", "type": "module" }');
    fs.writeFileSync(path.join(dir, 'experiment.ts'), experimentOf(options));
    for (const stage of ['tokenizer/pixel', 'evaluation/pixel', 'pretraining/pixel'])
      report(stage, await runStage(dir, stage));
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

async function runStage(
  dir: string,
  stage: string,
): Promise<{ samples: Samples; images: number; seconds: number }> {
  const script = path.join(repository, 'bin/peco-exp.js');
  const args = ['run', 'experiment.ts', '--upto', stage, '--store', 'store', '--json'];
  const child = spawn(process.execPath, [script, ...args], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const samples: Samples = [];
  let images = 0;
  const started = performance.now();
  const timer = setInterval(() => {
    const memory = residentOf(child, stage);
    if (memory !== undefined) samples.push(memory);
  }, 500);
  for await (const line of createInterface({ input: child.stdout! })) {
    const event = JSON.parse(line) as RunEvent;
    if (event.type === 'stage-progress' && event.stage.startsWith(stage)) images = event.images ?? images;
  }
  const [code] = await ended;
  clearInterval(timer);
  if (code !== 0) throw new Error(`${stage}: the run ended with exit code ${code}`);
  return { samples, images, seconds: (performance.now() - started) / 1000 };
}

function residentOf(cli: ChildProcess, stage: string): number | undefined {
  const pid =
    findStageProcess(cli.pid!, `${stage}/seed-0`) ?? findStageProcess(cli.pid!, `${stage}/base/seed-0`);
  if (pid === undefined) return undefined;
  try {
    const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kibibytes === undefined ? undefined : Math.round(Number(kibibytes) / 1024);
  } catch {
    return undefined; // it has just ended
  }
}

/** The first tenth is left out of what must be flat: programs are compiled, threads start. */
function report(stage: string, { samples, images, seconds }: Awaited<ReturnType<typeof runStage>>): void {
  const parts = 10;
  const most = (part: number): number =>
    Math.max(0, ...samples.slice((part * samples.length) / parts, ((part + 1) * samples.length) / parts));
  say(`${stage}: ${images.toLocaleString('en-US')} images in ${seconds.toFixed(0)} s`);
  say(
    `  most MiB in each tenth of the time: ${Array.from({ length: parts }, (_, part) => most(part)).join(' ')}`,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
