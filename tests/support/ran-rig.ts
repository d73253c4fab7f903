import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { createRig, type Rig } from './rig.ts';

/** One for each run of the tests, which have a folder of their own for what they write (support/loader/folder.mjs). */
const shared = path.join(os.tmpdir(), `peco-exp-ran-rig-${process.ppid}`);

/**
 * The plain rig after `run experiment.ts --jobs 2`, with nothing noted yet of what ran. The run itself happens once for all
 * tests. Each has a copy of its store and its results, which are found in whatever folder a project lies.
 */
export async function createRanRig(t: ExecutionContext): Promise<Rig> {
  running ??= runOnce(t);
  await running;
  const rig = createRig(t);
  copy(shared, rig.dir);
  return rig;
}

let running: Promise<void> | undefined;

async function runOnce(t: ExecutionContext): Promise<void> {
  if (fs.existsSync(shared)) return;
  const rig = createRig(t);
  const { code, stdout, stderr } = await rig.peco('run', 'experiment.ts', '--jobs', '2');
  if (code !== 0) throw new Error(`the run of the rig that others copy: ${code}\n${stdout}${stderr}`);
  const part = fs.mkdtempSync(`${shared}-`);
  copy(rig.dir, part);
  try {
    fs.renameSync(part, shared);
  } catch {
    // Another process was first.
    fs.rmSync(part, { recursive: true, force: true });
  }
}

function copy(from: string, to: string): void {
  for (const name of ['.peco', 'results']) {
    const options = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true };
    fs.cpSync(path.join(from, name), path.join(to, name), options);
  }
}
