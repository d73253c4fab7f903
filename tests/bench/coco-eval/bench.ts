import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleModules } from '../../../framework/code/bundle.ts';
import { makeScenes } from './scene.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const repository = path.resolve(here, '../../..');
/** Objects of COCO's val2017. */
const OBJECTS_AN_IMAGE = 36_000 / 5_000;
const DETECTIONS = 100;

interface Measured {
  /** Of processor time. */
  readonly seconds: { readonly read: number; readonly boxes: number; readonly masks: number };
  /** Bytes. */
  readonly peak: number;
  readonly numbers: readonly number[];
}

/** COCO's evaluation of boxes and masks at the size of val2017, beside pycocotools, in turns. */
export async function benchCocoEval({
  python,
  images,
  rounds,
}: {
  readonly python: string;
  readonly images: number;
  readonly rounds: number;
}): Promise<void> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'peco-coco-'));
  try {
    const objects = Math.round(images * OBJECTS_AN_IMAGE);
    say(`${images} images, ${objects} objects, ${DETECTIONS} detections an image`);
    await makeScenes(dir, images, objects, DETECTIONS);
    const entry = path.join(here, 'ours.ts');
    const ours = path.join(dir, 'ours.mjs');
    fs.writeFileSync(ours, (await bundleModules([entry], repository)).get(entry)!.text);
    const programs = {
      ours: () => execFileSync(process.execPath, [ours, dir]),
      pycocotools: () => execFileSync(python, [path.join(here, 'official.py'), dir]),
    };
    for (let round = 0; round < rounds; round++) {
      const [own, official] = [programs.ours, programs.pycocotools].map(
        (run) => JSON.parse(run().toString()) as Measured,
      );
      show('peco-exp', own);
      show('pycocotools', official);
      const time = ({ seconds: { boxes, masks } }: Measured) => boxes + masks;
      const apart = Math.max(...own.numbers.map((number, i) => Math.abs(number - official.numbers[i])));
      say(
        `pycocotools takes ${(time(official) / time(own)).toFixed(1)} times the processor time, and ${(official.peak / own.peak).toFixed(1)} times the memory; the ${own.numbers.length} numbers differ by at most ${apart.toExponential(0)}`,
      );
    }
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function show(name: string, { seconds, peak }: Measured): void {
  const parts = Object.entries(seconds).map(([part, value]) => `${part} ${value.toFixed(1)} s`);
  say(`${name.padEnd(12)} ${parts.join(', ')}; at most ${(peak / 2 ** 20).toFixed(0)} MiB`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
