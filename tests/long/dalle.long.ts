import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { HostTensor } from '../../components/engine/types.ts';
import { loadTree } from '../../components/weights/safetensors.ts';
import { dalle, file } from '../../index.ts';
import { importDalle, outputsOf } from '../components/support/dalle.ts';

// DALL-E's dVAE at its official sizes, 112 pixels, beside OpenAI's own package: PYTHON names a Python with torch,
// safetensors and DALL-E, `python3` unless said. Its weights are random, made by that package.
const python = process.env.PYTHON ?? 'python3';
const script = fileURLToPath(new URL('../fixtures/dalle/make.py', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'peco-dalle-'));
test.after.always(() => rmSync(folder, { recursive: true }));

test('logits, codes, outputs and images are those of the official package at its official sizes', async (t) => {
  t.timeout(600_000);
  const counts = execFileSync(python, [script, '--full', folder], { encoding: 'utf8' });
  t.regex(counts, /^53786240 43829766\n/);
  const weights = {
    encoder: file(path.join(folder, 'encoder.pkl')),
    decoder: file(path.join(folder, 'decoder.pth')),
  };
  const component = dalle({ weights });
  t.deepEqual(component.issues, []);
  const { tokenizer } = await importDalle(component);
  const expected = loadTree<{ [name in 'images' | 'codes']: HostTensor }>(
    path.join(folder, 'expected.safetensors'),
  );
  const outputs = await outputsOf('onnx', component, tokenizer, expected);
  for (const [name, { data, shape }] of Object.entries(outputs)) {
    const right = (expected as { readonly [name: string]: HostTensor })[name];
    t.deepEqual(shape, right.shape, name);
    const { worst, at, most } = worstOf(data, right.data);
    t.log(`${name}: worst element ${at} is off by ${worst} (${worst / most} of the largest)`);
    t.true(name === 'codes' ? worst === 0 : worst / most < 1e-5, name);
  }
});

/** In a loop: the arrays are too long to be spread. */
function worstOf(found: ArrayLike<number>, right: ArrayLike<number>) {
  let [worst, at, most] = [0, 0, 0];
  for (let i = 0; i < right.length; i++) {
    const gap = Math.abs(found[i] - right[i]);
    // A NaN mustn't pass for 0.
    if (!(gap <= worst)) [worst, at] = [gap, i];
    most = Math.max(most, Math.abs(right[i]));
  }
  return { worst, at, most };
}
