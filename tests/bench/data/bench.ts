import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleModules } from '../../../framework/code/bundle.ts';
import { Child, type Timed } from './child.ts';
import { makePhotos } from './make-photos.ts';

export interface DataBench {
  readonly python: string;
  readonly photos: number;
  readonly rounds: number;
  readonly workers: readonly number[];
}

const here = path.dirname(fileURLToPath(import.meta.url));
const repository = path.resolve(here, '../../..');

const BATCH = 64;
/** More than either prepares ahead. */
const SKIP = 8;
const COUNT = 12;

/** Images a second of BEiT's two views from JPEG files, beside PyTorch's DataLoader, in turns. */
export async function benchData({ python, photos, rounds, workers }: DataBench): Promise<void> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'peco-data-'));
  try {
    say(
      `Node ${process.version}; ${execFileSync(python, [path.join(here, 'torch_loader.py'), 'about'])}`.trim(),
    );
    const root = path.join(dir, 'photos');
    await makePhotos(root, photos);
    const ours = await bundle(dir);
    for (const jitter of ['jitter', 'plain']) {
      for (const count of workers) {
        const args = [root, String(BATCH), String(count), jitter];
        const pair = {
          // As stages are started.
          ours: new Child(process.execPath, [ours, ...args], {
            UV_THREADPOOL_SIZE: String(Math.max(4, count)),
          }),
          torch: new Child(python, [path.join(here, 'torch_loader.py'), ...args]),
        };
        await compare(`${jitter}, ${count} workers`, pair, rounds);
      }
    }
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** As a stage is bundled; its threads begin with dist/decode-worker.js, as those of stages do. */
async function bundle(dir: string): Promise<string> {
  execFileSync(process.execPath, ['bin/build.mjs'], { cwd: repository });
  const entry = path.join(here, 'ours.ts');
  const bundles = await bundleModules([entry], repository);
  const file = path.join(dir, 'ours.mjs');
  fs.writeFileSync(file, bundles.get(entry)!.text);
  return file;
}

async function compare(
  name: string,
  children: { readonly [name in 'ours' | 'torch']: Child },
  rounds: number,
): Promise<void> {
  const timed: { [name in keyof typeof children]: Timed[] } = { ours: [], torch: [] };
  for (const child of Object.values(children)) await child.ready();
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (['ours', 'torch'] as const) : (['torch', 'ours'] as const);
    for (const one of order) {
      timed[one].push(await children[one].time(SKIP, COUNT));
      // What is prepared ahead is done before the other begins.
      await setTimeout(1500);
    }
  }
  for (const child of Object.values(children)) child.end();
  const images = BATCH * COUNT;
  const rates = {
    ours: timed.ours.map(({ seconds }) => images / seconds),
    torch: timed.torch.map(({ seconds }) => images / seconds),
  };
  const cost = (list: readonly Timed[], which: 'cpu' | 'main') =>
    median(list.map((each) => (each[which] / images) * 1000)).toFixed(2);
  say(`${name}: images/s ours ${describe(rates.ours)}, PyTorch ${describe(rates.torch)}`);
  const ratios = rates.ours.map((rate, round) => rate / rates.torch[round]!);
  say(
    `  ratio ${describe(ratios, 2)}; processor ms an image ${cost(timed.ours, 'cpu')} and ${cost(timed.torch, 'cpu')}`,
  );
  say(`  of ours, ${cost(timed.ours, 'main')} ms in the first thread`);
}

/** Median, least and most. */
function describe(values: readonly number[], digits = 0): string {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)];
  return `${middle.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
