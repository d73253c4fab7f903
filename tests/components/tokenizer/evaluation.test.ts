import path from 'node:path';
import test from 'ava';
import type { Dataset } from '../../../components/data/types.ts';
import { saveTree } from '../../../components/nn/safetensors.ts';
import {
  type TokenizerEvaluationConfig,
  tokenizerEvaluation,
} from '../../../components/tokenizer/evaluation/config.ts';
import { run } from '../../../components/tokenizer/evaluation/stage.ts';
import { vqvae } from '../../../components/tokenizer/vqvae/config.ts';
import { load } from '../../../components/tokenizer/vqvae/load.ts';
import { initVqvae } from '../../../components/tokenizer/vqvae/model.ts';
import type { StageInput } from '../../../framework/stage/contract.ts';
import { createProject } from '../../framework/support/project.ts';
import { leafInput, noCheckpoints } from '../../helpers/stage-input.ts';
import { uniforms } from '../engine/steps/support/seeded.ts';

const [count, size] = [12, 16];
const length = size * size * 3;
const pixels = Float32Array.from(uniforms('evaluation', count * length));
const images: Dataset = {
  name: 'noise',
  count,
  size,
  channels: 3,
  classes: ['even', 'odd'],
  labels: Int32Array.from({ length: count }, (_, i) => i % 2),
  read: (indices) =>
    Float32Array.from(Array.from(indices, (i) => [...pixels.subarray(i * length, (i + 1) * length)]).flat()),
};

const window = { top: 4, left: 4, height: 8, width: 8 };

for (const [probeLabels, padded, about] of [
  [0, false, undefined],
  [8, true, /^PSNR of the 8x8 pixels of 16x16 that are picture; codeword probe on 8 labels/],
] as const) {
  test(`an evaluation with ${probeLabels} labels measures what it offers, and nothing else`, async (t) => {
    const component = tokenizerEvaluation({ images: 8, pictures: 2, probeLabels });
    t.deepEqual(component.issues, []);
    const { dir } = createProject(t, {});
    const tokenizer = vqvae({ width: 16, residualBlocks: 1, codebook: { size: 8, dim: 4 }, steps: 1 });
    const { parameters, codebook } = initVqvae(tokenizer.config as never, 0);
    saveTree(path.join(dir, 'tokenizer.safetensors'), { ...parameters, codebook: codebook.vectors });
    const data: StageInput = {
      ...leafInput(tokenizer),
      load: async <T>() => (padded ? { ...images, window } : images) as T,
    };
    const trained: StageInput = {
      ...leafInput(tokenizer, dir),
      load: async <T>() => (await load(trained)) as T,
    };
    const { metrics, ...rest } = await run({
      config: component.config as TokenizerEvaluationConfig,
      seed: 0,
      inputs: { train: data, test: data, tokenizer: trained },
      outDir: dir,
      scratchDir: dir,
      checkpoints: noCheckpoints,
      engine: { name: 'onnx', threads: 1 },
      signal: new AbortController().signal,
      progress: () => {},
      log: () => {},
    });
    t.deepEqual(Object.keys(metrics!), [...component.offers!]);
    if (about) t.regex(rest.about ?? '', about);
    else t.is(rest.about, undefined);
  });
}
