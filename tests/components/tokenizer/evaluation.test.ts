import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { PNG } from 'pngjs';
import type { Dataset } from '../../../components/data/types.ts';
import { plainView } from '../../../components/data/views/view.ts';
import type { HostTensor } from '../../../components/engine/types.ts';
import { type HostTree, leaves } from '../../../components/nn/tree.ts';
import { writeCodebookUse } from '../../../components/tokenizer/evaluation/codebook-use.ts';
import {
  type TokenizerEvaluationConfig,
  tokenizerEvaluation,
} from '../../../components/tokenizer/evaluation/config.ts';
import { run } from '../../../components/tokenizer/evaluation/stage.ts';
import type { Tokenizer } from '../../../components/tokenizer/tokenizer.ts';
import { vqvae } from '../../../components/tokenizer/vqvae/config.ts';
import { load } from '../../../components/tokenizer/vqvae/load.ts';
import { saveTree } from '../../../components/weights/safetensors.ts';
import type { StageInput } from '../../../framework/stage/contract.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { imagesOf } from '../../support/images.ts';
import { createProject } from '../../support/project.ts';
import { leafInput, noCheckpoints } from '../../support/stage-input.ts';
import { uniforms } from '../engine/steps/support/seeded.ts';
import { untrainedVqvae } from '../support/vqvae.ts';

const [count, size] = [12, 16];
const bytes = Uint8Array.from(uniforms('evaluation', count * size * size * 3), (value) => 256 * value);
const images = imagesOf(bytes, { size });

const window = { top: 4, left: 4, height: 8, width: 8 };

/** Evaluates an untrained tokenizer, whose weights `change` may have changed before they are saved. */
async function evaluated(
  t: ExecutionContext,
  component: ReturnType<typeof tokenizerEvaluation>,
  { padded = false, residualBlocks = 1, change = (_: HostTree) => {} } = {},
) {
  const { dir } = createProject(t, {});
  const tokenizer = vqvae({ width: 16, residualBlocks, codebook: { size: 8, dim: 4 }, steps: 1 });
  t.deepEqual([...component.issues, ...tokenizer.issues], []);
  const weights = untrainedVqvae(tokenizer.config);
  change(weights as unknown as HostTree);
  saveTree(path.join(dir, 'tokenizer.safetensors'), weights);
  const data: StageInput<never, Dataset> = {
    ...leafInput(tokenizer),
    load: async () => (padded ? { ...images, window } : images),
  };
  const trained: StageInput<never, Tokenizer> = {
    ...leafInput(tokenizer, dir),
    load: () => load(trained),
  };
  const result = await run({
    config: component.config as TokenizerEvaluationConfig,
    seed: 0,
    inputs: { train: data, test: data, tokenizer: trained },
    files: {},
    outDir: dir,
    workDir: dir,
    checkpoints: noCheckpoints,
    engine: { name: 'onnx', threads: 1 },
    signal: new AbortController().signal,
    progress: () => {},
    log: () => {},
  });
  return { ...result, dir };
}

for (const [probeLabels, padded, about] of [
  [0, false, undefined],
  [8, true, /^PSNR of the 8x8 pixels of 16x16 that are picture; codeword probe on 8 labels/],
] as const) {
  test(`an evaluation with ${probeLabels} labels measures what it offers, and nothing else`, async (t) => {
    const component = tokenizerEvaluation({ images: 8, pictures: 2, probeLabels });
    const { metrics, about: said } = await evaluated(t, component, { padded });
    t.deepEqual(Object.keys(metrics!), [...component.offers!]);
    if (about) t.regex(said ?? '', about);
    else t.is(said, undefined);
  });
}

const small = tokenizerEvaluation({ images: 8, pictures: 2, probeLabels: 0 });

test('the PSNR is the mean of those of the images, which the strips show', async (t) => {
  const component = tokenizerEvaluation({ images: 12, pictures: 12, probeLabels: 0 });
  const { metrics, dir } = await evaluated(t, component);
  const strip = (name: string) => PNG.sync.read(readFileSync(path.join(dir, name))).data;
  const [a, b] = [strip('originals.png'), strip('reconstructions.png')];
  const errors = new Float64Array(count);
  for (let i = 0; i < a.length; i++) {
    const image = Math.floor(((i / 4) % (count * size)) / size);
    if (i % 4 < 3) errors[image] += ((a[i] - b[i]) / 255) ** 2 / (size * size * 3);
  }
  const mean = errors.reduce((sum, error) => sum - 10 * Math.log10(error), 0) / count;
  // The strips are rounded to bytes.
  t.true(Math.abs(metrics!.psnr - mean) < 0.01, `${metrics!.psnr} and ${mean}`);
});

test('the picture of codes has the patches of the first images that have them, the most used code first', async (t) => {
  const { dir } = createProject(t, {});
  // Four tokens an image: code 2 everywhere but in image 1, where 5 is, and at the last token of image 3, which is 0.
  const codes = new Int32Array(count * 4).fill(2);
  codes.fill(5, 4, 8);
  codes[15] = 0;
  const counts = [1, 0, count * 4 - 5, 0, 0, 4, 0, 0];
  await writeCodebookUse(dir, images, { codes, counts, stride: 8, view: plainView });
  const use = JSON.parse(readFileSync(path.join(dir, 'codebook.json'), 'utf8'));
  t.deepEqual(use, { images: count, counts, shown: [2, 5, 0], patch: 8, gap: 1 });
  const { data, width, height } = PNG.sync.read(readFileSync(path.join(dir, 'codes.png')));
  t.deepEqual([width, height], [11 * 9 + 1, 3 * 9 + 1]);
  const redAt = (row: number, column: number) => data[((1 + row * 9) * width + 1 + column * 9) * 4];
  const redOf = (image: number, y: number, x: number) => bytes[((image * size + y) * size + x) * 3];
  t.deepEqual([redAt(0, 0), redAt(0, 1), redAt(0, 10)], [redOf(0, 0, 0), redOf(2, 0, 0), redOf(11, 0, 0)]);
  t.is(redAt(1, 0), redOf(1, 0, 0));
  t.is(redAt(2, 0), redOf(3, 8, 8), 'the token at the lower right');
  t.is(redAt(1, 1), 255, 'white where no other image has the code');
});

test('a tokenizer without residual blocks is saved, loaded and measured', async (t) => {
  const { metrics } = await evaluated(t, small, { residualBlocks: 0 });
  t.true(Number.isFinite(metrics!.psnr));
});

test('finite weights that overflow while encoding or decoding are no codes and no pictures', async (t) => {
  const enlarge = (part: string, by: number) => (weights: HostTree) => {
    for (const { path: names, leaf } of leaves<HostTensor>(weights)) {
      if (names[0] === part) for (let i = 0; i < leaf.data.length; i++) leaf.data[i] *= by;
    }
  };
  const failure = async (part: string, by: number) =>
    formatError(await t.throwsAsync(evaluated(t, small, { change: enlarge(part, by) })));
  const hint = '\n  the weights are too large for float32: lower the learning rate of their training';
  t.is(
    await failure('encoder', 1e30),
    `tokenizer encode: image 0 has the code -1, which is none of 8${hint}`,
  );
  t.is(await failure('decoder', 1e19), `tokenizer decode: images from 0 on give NaN${hint}`);
});
