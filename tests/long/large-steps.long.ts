import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test from 'ava';
import { finetune } from '../components/engine/steps/support/finetune.ts';
import { type Expected, readExpected } from '../components/engine/steps/support/fixture.ts';
import { mim } from '../components/engine/steps/support/mim.ts';
import {
  histories,
  proveAgainstPyTorch,
  proveEnginesAgree,
  type Subject,
} from '../components/engine/steps/support/prove.ts';
import { dvaeTraining, vqvaeTraining } from '../components/engine/steps/support/tokenizers.ts';

// The proofs of tests/components/engine/steps on networks of the size of the quickstart's. PyTorch runs here and now:
// PYTHON names a Python with torch and numpy, `python3` unless said.
const python = process.env.PYTHON ?? 'python3';
const script = fileURLToPath(new URL('../fixtures/steps/make.py', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'peco-pytorch-'));
test.after.always(() => rmSync(folder, { recursive: true }));
try {
  execFileSync(python, [script, '--size', 'large', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
} catch (cause) {
  throw new Error(`${python} can't run ${script}: set PYTHON to a Python that has torch and numpy`, {
    cause,
  });
}
const expected = (name: string): Expected => readExpected(name, pathToFileURL(`${folder}/`));

function prove<S, B, O, C>(subject: Subject<S, B, O, C>, name: string): void {
  const historyOf = histories(subject);
  proveAgainstPyTorch('onnx', subject, expected(name), historyOf);
  proveEnginesAgree(subject, historyOf);
}

prove(mim('large'), 'mim');
prove(finetune('large'), 'finetune');
prove(await vqvaeTraining('large'), 'vqvae');
prove(await dvaeTraining('large'), 'dvae');
