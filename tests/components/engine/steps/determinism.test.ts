import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { vit } from '../../../../components/backbone/config.ts';
import { vgg } from '../../../../components/perceptual/vgg/config.ts';
import { load as loadVgg } from '../../../../components/perceptual/vgg/load.ts';
import { initVgg } from '../../../../components/perceptual/vgg/model.ts';
import { maskedImageModelling } from '../../../../components/pretraining/mim/config.ts';
import { run as pretrain } from '../../../../components/pretraining/mim/stage.ts';
import { dvae } from '../../../../components/tokenizer/dvae/config.ts';
import { run as trainDvae } from '../../../../components/tokenizer/dvae/stage.ts';
import { vqvae } from '../../../../components/tokenizer/vqvae/config.ts';
import { load as loadVqvae } from '../../../../components/tokenizer/vqvae/load.ts';
import { run as trainVqvae } from '../../../../components/tokenizer/vqvae/stage.ts';
import { saveTree } from '../../../../components/weights/safetensors.ts';
import type { Component } from '../../../../framework/stage/component.ts';
import type { StageFunction, StageInput } from '../../../../framework/stage/contract.ts';
import { imagesOf } from '../../../support/images.ts';
import { leafInput, noCheckpoints } from '../../../support/stage-input.ts';
import { untrainedVqvae } from '../../support/vqvae.ts';
import { uniforms } from './support/seeded.ts';

const SIZE = 32;
const bytes = Uint8Array.from(uniforms('determinism', 48 * SIZE * SIZE * 3), (value) => 256 * value);
const images = imagesOf(bytes, { size: SIZE, classes: ['noise'] });

// Large enough for ONNX Runtime to divide the work of its larger kernels among threads.
const sizes = { width: 32, stride: 8 as const, residualBlocks: 1, steps: 4, batchSize: 16, warmup: 1 };
const network = vgg({ width: 16, blocks: 2, steps: 1 });
const perceptual = { network, layers: ['relu1_2', 'relu2_2'] };
const components = {
  vqvae: vqvae({ ...sizes, codebook: { size: 64, dim: 16 }, loss: { perceptual } }),
  dvae: dvae({ ...sizes, codebook: { size: 64, dim: 16 } }),
  mim: maskedImageModelling({
    backbone: vit({ dim: 64, depth: 2, heads: 4, patch: 8, layerScaleInit: 0.1 }),
    steps: 4,
    batchSize: 32,
    warmup: 1,
  }),
};
const runs: { readonly [name: string]: StageFunction<never> } = {
  vqvae: trainVqvae as unknown as StageFunction<never>,
  dvae: trainDvae as unknown as StageFunction<never>,
  mim: pretrain as unknown as StageFunction<never>,
};

const folders: string[] = [];
function folder(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'peco-determinism-'));
  folders.push(dir);
  return dir;
}
test.after.always(() => {
  for (const dir of folders) rmSync(dir, { recursive: true });
});

function input(
  component: Component,
  dir: string,
  load: (of: StageInput<never>) => Promise<unknown>,
): StageInput {
  const leaf = leafInput(component, dir);
  return { ...leaf, load: () => load(leaf) };
}

/** What a stage needs besides its config: images, a perceptual network and a tokenizer with their first weights. */
function inputs(): { readonly [name: string]: StageInput } {
  const [frozen, tokenizer] = [folder(), folder()];
  saveTree(path.join(frozen, 'vgg.safetensors'), initVgg({ width: 16, blocks: 2, convsPerBlock: 2 }, 1, 0));
  saveTree(path.join(tokenizer, 'tokenizer.safetensors'), untrainedVqvae(components.vqvae.config));
  return {
    train: input(components.dvae, '', async () => images),
    network: input(network, frozen, loadVgg),
    tokenizer: input(components.vqvae, tokenizer, loadVqvae),
  };
}

/** All that a stage gives: its files in hex, its metrics and its log. */
async function outcome(name: keyof typeof components, seed: number, threads: number) {
  const outDir = folder();
  const log: unknown[] = [];
  const { metrics } = await runs[name]({
    config: components[name].config as never,
    seed,
    inputs: inputs(),
    files: {},
    outDir,
    workDir: outDir,
    checkpoints: noCheckpoints,
    engine: { name: 'onnx', threads },
    signal: new AbortController().signal,
    progress: () => {},
    log: (record) => log.push(record),
  });
  const files = readdirSync(outDir).sort();
  return { files: files.map((file) => [file, readFileSync(path.join(outDir, file), 'hex')]), metrics, log };
}

for (const name of Object.keys(components) as (keyof typeof components)[]) {
  test(`${name}: a seed trains to the same bytes on 1, 2 and 4 threads and from run to run`, async (t) => {
    const first = await outcome(name, 0, 1);
    // Each time in a run of its own.
    for (const threads of [2, 4]) {
      const again = await outcome(name, 0, threads);
      // Not deepEqual of the bytes themselves: its message would be megabytes long.
      t.deepEqual([again.metrics, again.log], [first.metrics, first.log]);
      t.true(JSON.stringify(again.files) === JSON.stringify(first.files), `${threads} threads`);
    }
    const other = await outcome(name, 1, 1);
    t.false(JSON.stringify(other.files) === JSON.stringify(first.files), 'the seed has no effect');
  });
}
