import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test from 'ava';
import { furthest } from '../components/engine/steps/support/compare.ts';
import { readExpected } from '../components/engine/steps/support/fixture.ts';
import { compareVqgan, readVqganSpec } from '../components/tokenizer/support/vqgan.ts';

// The tokenizer at 224 px with stride 16, 128 channels and 8,192 codes: forward pass, gradients and codebook of a step
// beside PyTorch, which runs here and now. PYTHON names a Python with torch and numpy.
const python = process.env.PYTHON ?? 'python3';
const script = fileURLToPath(new URL('../fixtures/tokenizer/make.py', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'peco-vqgan-'));
test.after.always(() => rmSync(folder, { recursive: true }));

for (const name of ['full', 'full-plain']) {
  test.serial(`${name}: a step at 224 px is that of PyTorch within 1e-4`, async (t) => {
    execFileSync(python, [script, name, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
    const compared = await compareVqgan(readVqganSpec(name), readExpected(name, pathToFileURL(`${folder}/`)));
    t.deepEqual(compared.missing, []);
    for (const kind of ['forward', 'gradient', 'codebook', 'out']) {
      const { path: worst, distance } = furthest(compared[kind]!);
      t.log(`${name} ${kind}: worst ${worst}, ${distance.toExponential(1)} of its largest number`);
      t.true(distance <= 1e-4, `${worst} is off by ${distance}`);
    }
  });
}
