import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import test from 'ava';
import * as ort from 'onnxruntime-node';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostTensor } from '../../../components/engine/types.ts';
import type { TreeOf } from '../../../components/nn/tree.ts';
import { exportResult } from '../../../components/tokenizer/export.ts';
import { vqvae } from '../../../components/tokenizer/vqvae/config.ts';
import { load } from '../../../components/tokenizer/vqvae/load.ts';
import { saveTree } from '../../../components/weights/safetensors.ts';
import type { StageInput } from '../../../framework/stage/contract.ts';
import { leafInput } from '../../support/stage-input.ts';
import { uniforms } from '../engine/steps/support/seeded.ts';
import { untrainedVqvae } from '../support/vqvae.ts';

test('a tokenizer exported to ONNX gives the codes and the images that it gives here', async (t) => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'peco-exp-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const config = { steps: 1, width: 16, stride: 8 as const, residualBlocks: 1, view: { size: 32 } };
  const component = vqvae({ ...config, codebook: { size: 16, dim: 4 } });
  saveTree(path.join(dir, 'tokenizer.safetensors'), untrainedVqvae(component.config));
  const input: StageInput<never> = { ...leafInput(component, dir), load: () => load(input) };
  const files = { encoder: path.join(dir, 'encoder.onnx'), decoder: path.join(dir, 'decoder.onnx') };
  t.deepEqual(await exportResult(input, { format: 'onnx', file: files.encoder }), {
    load: ['input batch/images: float32 [1, 32, 32, 3] in [0, 1]', 'output out/codes: int32 [1, 16]'],
  });
  await exportResult(input, { format: 'onnx-decoder', file: files.decoder });

  const pixels = Float32Array.from(uniforms('export', 32 * 32 * 3));
  const { codes } = await runModel(
    files.encoder,
    'batch/images',
    new ort.Tensor('float32', pixels, [1, 32, 32, 3]),
  );
  const { images } = await runModel(files.decoder, 'batch/codes', codes!);

  const tokenizer = await load(input);
  const engine = await openEngine({ name: 'reference' });
  t.teardown(() => engine.dispose());
  const program = await engine.compile({
    name: 'tokenizer',
    state: engine.state<TreeOf<Tensor>>(tokenizer.weights as never),
    batch: { images: { shape: [1, 32, 32, 3] } },
    step: (weights, batch: { images: Tensor }) => {
      const found = tokenizer.encode(weights, batch.images);
      return { state: weights, out: { codes: found, images: tokenizer.decode(weights, found) } };
    },
  });
  const expected = await program.run({
    images: { dtype: 'float32', shape: [1, 32, 32, 3], data: pixels } as HostTensor,
  });
  t.true(new Set(codes!.data as Int32Array).size > 1);
  t.deepEqual(codes!.data, expected.codes.data);
  const worst = Math.max(
    ...(images!.data as Float32Array).map((value, i) => Math.abs(value - expected.images.data[i]!)),
  );
  t.true(worst < 1e-5, `off by ${worst}`);
});

/** Outputs by the last part of their names. */
async function runModel(
  file: string,
  name: string,
  value: ort.Tensor,
): Promise<{ [name: string]: ort.Tensor }> {
  const session = await ort.InferenceSession.create(readFileSync(file));
  const results = await session.run({ [name]: value });
  return Object.fromEntries(Object.entries(results).map(([key, tensor]) => [path.basename(key), tensor]));
}
