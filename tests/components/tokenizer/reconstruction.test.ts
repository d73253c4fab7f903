import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { fashionMnist } from '../../../components/data/readers/fashion-mnist/config.ts';
import { load } from '../../../components/data/readers/fashion-mnist/load.ts';
import type { Dataset } from '../../../components/data/types.ts';
import { plainView } from '../../../components/data/views/view.ts';
import { openEngine } from '../../../components/engine/open.ts';
import { perplexity } from '../../../components/tokenizer/codebook.ts';
import { codesOf } from '../../../components/tokenizer/codes.ts';
import type { VqvaeConfig } from '../../../components/tokenizer/vqvae/config.ts';
import { vqvae } from '../../../components/tokenizer/vqvae/config.ts';
import { load as loadVqvae } from '../../../components/tokenizer/vqvae/load.ts';
import { run } from '../../../components/tokenizer/vqvae/stage.ts';
import type { StageInput } from '../../../framework/stage/contract.ts';
import { noCheckpoints } from '../../support/stage-input.ts';

const dataComponent = fashionMnist({ split: 'train', range: [0, 640] });
const data: StageInput<never, Dataset> = {
  kind: dataComponent.kind,
  config: dataComponent.config as never,
  dir: '',
  files: dataComponent.files,
  inputs: {},
  load: () => load(data),
};

/** Trains a small VQ-VAE for some steps; gives its last losses and how its codes are used. */
async function trained(steps: number): Promise<{ pixel: number; perplexity: number; history: number[] }> {
  const component = vqvae({
    width: 16,
    residualBlocks: 1,
    codebook: { size: 32, dim: 8 },
    steps,
    batchSize: 32,
  });
  const outDir = await mkdtemp(path.join(tmpdir(), 'peco-vqvae-'));
  const history: number[] = [];
  const { metrics } = await run({
    config: component.config as VqvaeConfig,
    seed: 0,
    inputs: { train: data },
    files: {},
    outDir,
    workDir: outDir,
    checkpoints: noCheckpoints,
    engine: { name: 'onnx', threads: 1 },
    signal: new AbortController().signal,
    progress: () => {},
    log: (record) => history.push(record.loss as number),
  });
  const input = { ...data, config: component.config as never, dir: outDir };
  const tokenizer = await loadVqvae(input);
  const engine = await openEngine({ threads: 1 });
  const histogram = new Float64Array(tokenizer.vocabulary);
  const pass = { view: plainView, workers: 1, signal: new AbortController().signal };
  for (const code of await codesOf(engine, tokenizer, await load(data), pass)) histogram[code]++;
  engine.dispose();
  return { pixel: metrics!.pixel, perplexity: perplexity(histogram), history };
}

test('training lowers the reconstruction error by half and raises the perplexity of the codes by 5 %', async (t) => {
  const before = await trained(1);
  const after = await trained(100);
  t.true(after.pixel < 0.5 * before.pixel, `pixel ${before.pixel} -> ${after.pixel}`);
  t.true(
    after.perplexity > 1.05 * before.perplexity,
    `perplexity ${before.perplexity} -> ${after.perplexity}`,
  );
  t.true(after.history.at(-1)! < after.history[0]);
});

test('the same seed trains the same tokenizer', async (t) => {
  t.deepEqual(await trained(3), await trained(3));
});
