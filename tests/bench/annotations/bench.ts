import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleModules } from '../../../framework/code/bundle.ts';
import { makeAnnotations } from './make.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const repository = path.resolve(here, '../../..');

interface Measured {
  readonly seconds: { readonly [part: string]: number };
  readonly cpu: number;
  /** Bytes. */
  readonly peak: number;
}

/** Reading annotations of the size of COCO's train2017: what a first plan, a second one and a stage take; pycocotools. */
export async function benchAnnotations({
  python,
  images,
}: {
  readonly python: string;
  readonly images: number;
}): Promise<void> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'peco-annotations-'));
  try {
    const file = makeAnnotations(dir, images);
    say(`${images.toLocaleString('en-US')} images, ${(fs.statSync(file).size / 1e6).toFixed(0)} MB`);
    // A file that has just changed is not remembered.
    await sleep(2_500);
    const entry = path.join(here, 'ours.ts');
    const ours = path.join(dir, 'ours.mjs');
    fs.writeFileSync(ours, (await bundleModules([entry], repository)).get(entry)!.text);
    await sleep(2_500);
    const run = () => execFileSync(process.execPath, [ours, dir, path.join(dir, 'kept')]);
    show('first plan and a stage', run());
    show('second plan and a stage', run());
    show('pycocotools', execFileSync(python, [path.join(here, 'official.py'), file]));
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function show(name: string, output: Buffer): void {
  const { seconds, cpu, peak } = JSON.parse(output.toString()) as Measured;
  const parts = Object.entries(seconds).map(([part, value]) => `${part} ${value.toFixed(1)} s`);
  say(`${name}: ${parts.join(', ')}; ${cpu.toFixed(1)} s cpu, at most ${(peak / 2 ** 20).toFixed(0)} MiB`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
