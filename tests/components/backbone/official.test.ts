import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as ort from 'onnxruntime-node';
import { parseSafetensors } from '../../../components/weights/safetensors.ts';
import { exportSmall } from '../../fixtures/official/export.ts';
import { smallBackbone, smallImage } from '../../fixtures/official/models.ts';

/** What timm made of the image with the weights that `peco-exp export` wrote, strictly loaded; see make.py. */
const timm = JSON.parse(
  readFileSync(new URL('../../fixtures/official/timm.json', import.meta.url), 'utf8'),
) as { tokens: number[]; logits: number[] };

function temporary(t: ExecutionContext): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'peco-exp-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function runModel(file: string): Promise<number[]> {
  const session = await ort.InferenceSession.create(readFileSync(file));
  const image = new ort.Tensor('float32', smallImage, [1, 24, 24, 3]);
  const results = await session.run({ 'batch/images': image });
  return [...(Object.values(results)[0]!.data as Float32Array)];
}

function worst(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.NaN;
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
}

test('the exported ONNX models compute what timm computes with the exported weights', async (t) => {
  const dir = temporary(t);
  for (const [kind, expected] of [
    ['pretraining', timm.tokens],
    ['fine-tuning', timm.logits],
  ] as const) {
    const file = path.join(dir, `${kind}.onnx`);
    await exportSmall(kind, 'onnx', file);
    const off = worst(await runModel(file), expected);
    t.true(off < 2e-5, `${kind}: off by ${off}`);
  }
});

test("the exported names and shapes are those of BEiT's checkpoints", async (t) => {
  const dir = temporary(t);
  for (const kind of ['pretraining', 'fine-tuning'] as const) {
    const file = path.join(dir, `${kind}.safetensors`);
    t.snapshot(await exportSmall(kind, 'beit', file), `how to load it: ${kind}`);
    const { tensors } = parseSafetensors(readFileSync(file), file);
    t.snapshot(
      Object.entries(tensors).map(([name, { shape }]) => `${name} [${shape.join(', ')}]`),
      kind,
    );
  }
  t.snapshot(await exportSmall('pretraining', 'timm', path.join(dir, 'timm.safetensors')), 'for timm');
});

test('exported weights are the stored numbers, rows and columns exchanged where PyTorch has them so', async (t) => {
  const file = path.join(temporary(t), 'timm.safetensors');
  await exportSmall('pretraining', 'timm', file);
  const { tensors } = parseSafetensors(readFileSync(file), file);
  const numbers = (name: string) => new Float32Array(new Uint8Array(tensors[name]!.bytes).buffer);
  const { weights } = smallBackbone();
  const { qkv, expand } = weights.blocks['1']!;
  const weight = numbers('blocks.1.attn.qkv.weight');
  const patch = numbers('patch_embed.proj.weight');
  t.is(weight[5 * 16 + 3], qkv.weight.data[3 * 48 + 5]);
  t.is(numbers('blocks.1.mlp.fc1.weight')[63 * 16 + 2], expand.weight.data[2 * 64 + 63]);
  // Output 4, blue, row 6, column 7 of a patch of 8 x 8.
  t.is(patch[((4 * 3 + 2) * 8 + 6) * 8 + 7], weights.patch.weight.data[((6 * 8 + 7) * 3 + 2) * 16 + 4]);
  t.deepEqual(numbers('blocks.0.attn.relative_position_bias_table'), weights.relativePositions!.data);
});
