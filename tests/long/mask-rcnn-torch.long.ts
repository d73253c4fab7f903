import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test from 'ava';
import { vit, vitSchema } from '../../components/backbone/config.ts';
import type { HostTensor } from '../../components/engine/types.ts';
import { leaves } from '../../components/nn/tree.ts';
import { base, compareWithTorch, startOf } from '../components/downstream/detection/support/mask-rcnn.ts';
import { readExpected } from '../components/engine/steps/support/fixture.ts';

// PYTHON names a Python with torch and torchvision. Takes some minutes and 8 GB.
const python = process.env.PYTHON ?? 'python3';
const folder = mkdtempSync(path.join(tmpdir(), 'peco-mask-rcnn-'));
test.after.always(() => rmSync(folder, { recursive: true }));

test.serial(
  'Mask R-CNN on ViT-B/16, 80 classes: losses, every gradient and detections of torchvision',
  async (t) => {
    const script = fileURLToPath(new URL('../fixtures/detection/mask_rcnn.py', import.meta.url));
    execFileSync(python, [script, '--base', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
    const sizes = base(vitSchema.parse(vit('base/16')));
    const { vit: _, ...heads } = startOf(sizes);
    const count = leaves<HostTensor>(heads as never).reduce((sum, { leaf }) => sum + leaf.data.length, 0);
    t.is(count, 27_773_424);
    const expected = readExpected('mask-rcnn', pathToFileURL(`${folder}/`));
    await compareWithTorch(t, sizes, expected, { forward: 1e-5, gradient: 5e-5 });
  },
);
