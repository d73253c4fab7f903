import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { placementOf } from '../../components/engine/onnx/webgpu/describe.ts';
import { openWebgpuEngine } from '../../components/engine/onnx/webgpu/engine.ts';
import { finetune } from '../components/engine/steps/support/finetune.ts';
import { mim } from '../components/engine/steps/support/mim.ts';
import { dalleTraining, dvaeTraining, vqvaeTraining } from '../components/engine/steps/support/tokenizers.ts';
import type { Training } from '../components/engine/steps/support/train.ts';
import { withWebgpu } from './support/device.ts';

/** Where the operators of one step of a training ran. */
async function placed({
  name,
  step,
  state: first,
  constants,
  batch,
}: Training<unknown, unknown, unknown, unknown>) {
  const folder = mkdtempSync(path.join(tmpdir(), 'peco-placement-'));
  const engine = await openWebgpuEngine(1, path.join(folder, 'step'));
  const state = engine.state(first);
  const program = await engine.compile({ name, step, state, batch: batch(0) as never, constants });
  await program.run(batch(0));
  engine.dispose();
  const profiles = readdirSync(folder).map((file) => readFileSync(path.join(folder, file), 'utf8'));
  rmSync(folder, { recursive: true });
  return placementOf(profiles);
}

await withWebgpu(() => {
  for (const [name, make] of Object.entries({
    mim: () => mim('small'),
    finetune: () => finetune('small'),
    vqvae: () => vqvaeTraining('small'),
    dvae: () => dvaeTraining('small'),
    dalle: () => dalleTraining('small'),
  })) {
    test(`a step of ${name} runs on the device, all of it`, async (t) => {
      const { training } = await make();
      const { device, cpu } = await placed(training as never);
      t.true([...device.values()].reduce((a, b) => a + b, 0) > 500);
      t.deepEqual([...cpu.keys()], []);
    });
  }
});
