import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { tinyImageNet } from '../../../components/data/readers/image-folder/tiny.ts';

export interface FolderBench {
  /** Files of the training folder, in 1,000 folders. */
  readonly files: number;
}

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const CLASSES = 1000;

const experiment = `
import {
  ablationTable, defineExperiment, imageFolder, linearProbe, maskedImageModelling, tokenizerEvaluation, vit, vqvae,
} from 'peco-exp';

const view = { size: 32, crop: { kind: 'random-resized' } } as const;
const steps = { steps: 2, batchSize: 8, view };

export default defineExperiment({
  name: 'folder',
  seeds: [0],
  data: { train: imageFolder({ root: 'train' }), test: imageFolder({ root: 'val' }) },
  tokenizers: { pixel: vqvae({ width: 16, residualBlocks: 0, stride: 8, codebook: { size: 8, dim: 4 }, ...steps }) },
  evaluation: tokenizerEvaluation({ images: 64, probeLabels: 0, view: { size: 32 } }),
  pretraining: {
    base: maskedImageModelling({ backbone: vit({ dim: 32, depth: 2, heads: 2, patch: 8 }), ...steps }),
  },
  downstream: { probe: linearProbe({ layer: 1, labels: 1000, view: { size: 32 } }) },
  baseline: 'pixel',
  report: ablationTable({}),
});
`;

/** What a folder of very many files costs beside the images themselves: planning, the start of a run, a run with nothing to do. */
export async function benchFolder({ files }: FolderBench): Promise<void> {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'peco-folder-')));
  try {
    say(`making ${files.toLocaleString('en-US')} files in ${CLASSES.toLocaleString('en-US')} folders`);
    makeFolder(path.join(dir, 'train'), files);
    makeFolder(path.join(dir, 'val'), CLASSES);
    fs.mkdirSync(path.join(dir, 'node_modules'));
    fs.symlinkSync(repository, path.join(dir, 'node_modules/peco-exp'));
    fs.writeFileSync(path.join(dir, 'package.json'), '{ "name": "folder", "type": "module" }');
    fs.writeFileSync(path.join(dir, 'experiment.ts'), experiment);
    await measure(dir, 'plan, first time (hashes all files)', 'plan');
    await measure(dir, 'plan, second time', 'plan');
    await measure(dir, 'run of a tokenizer and its evaluation', 'run', '--upto', 'evaluation/pixel');
    await measure(dir, 'run with nothing to do', 'run', '--upto', 'evaluation/pixel');
    await measure(dir, 'the same again', 'run', '--upto', 'evaluation/pixel');
    for (const part of ['cache', 'documents'])
      say(`  ${part}: ${mebibytes(sizeOf(path.join(dir, '.peco', part)))}`);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** Each file another one: a small JPEG with a number behind its end, which decoders pass over. */
function makeFolder(root: string, files: number): void {
  const [wnid] = fs.readdirSync(tinyImageNet.train);
  const [name] = fs.readdirSync(path.join(tinyImageNet.train, wnid!));
  const image = fs.readFileSync(path.join(tinyImageNet.train, wnid!, name!));
  const bytes = Buffer.concat([image, Buffer.alloc(4)]);
  for (let label = 0; label < CLASSES; label++) {
    const folder = `n${10_000_000 + 137 * label}`;
    fs.mkdirSync(path.join(root, folder), { recursive: true });
    for (let number = label; number < files; number += CLASSES) {
      bytes.writeUInt32LE(number, image.length);
      fs.writeFileSync(path.join(root, folder, `${folder}_${number}.JPEG`), bytes);
    }
  }
}

async function measure(dir: string, what: string, ...command: string[]): Promise<void> {
  const script = path.join(repository, 'bin/peco-exp.js');
  const started = performance.now();
  const child = spawn(process.execPath, [script, command[0]!, 'experiment.ts', ...command.slice(1)], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let [most, busy] = [0, 0];
  const timer = setInterval(() => {
    most = Math.max(most, residentOf(child.pid!));
    busy = Math.max(busy, processorTimeOf(child.pid!));
  }, 20);
  const [code] = await once(child, 'exit');
  clearInterval(timer);
  const seconds = (performance.now() - started) / 1000;
  say(`${what}: ${seconds.toFixed(2)} s, ${busy.toFixed(2)} s of processor time, ${most} MiB`);
  if (code !== 0) throw new Error(`${command.join(' ')} ended with exit code ${code}`);
}

function residentOf(pid: number): number {
  try {
    const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Math.round(Number(kibibytes ?? 0) / 1024);
  } catch {
    return 0; // it has just ended
  }
}

/** Seconds, of all its threads. */
function processorTimeOf(pid: number): number {
  try {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

function sizeOf(folder: string): number {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
