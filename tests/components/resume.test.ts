import path from 'node:path';
import test from 'ava';
import { vit } from '../../components/backbone/config.ts';
import type { Dataset } from '../../components/data/types.ts';
import { fineTune } from '../../components/downstream/finetune/config.ts';
import { run as runFineTune } from '../../components/downstream/finetune/stage.ts';
import { linearProbe } from '../../components/downstream/probe/config.ts';
import { run as runProbe } from '../../components/downstream/probe/stage.ts';
import { saveTree } from '../../components/nn/safetensors.ts';
import { vgg } from '../../components/perceptual/vgg/config.ts';
import { run as runVgg } from '../../components/perceptual/vgg/stage.ts';
import { maskedImageModelling } from '../../components/pretraining/mim/config.ts';
import { run as runMim } from '../../components/pretraining/mim/stage.ts';
import { dvae } from '../../components/tokenizer/dvae/config.ts';
import { run as runDvae } from '../../components/tokenizer/dvae/stage.ts';
import { vqvae } from '../../components/tokenizer/vqvae/config.ts';
import { load as loadVqvae } from '../../components/tokenizer/vqvae/load.ts';
import { initVqvae } from '../../components/tokenizer/vqvae/model.ts';
import { run as runVqvae } from '../../components/tokenizer/vqvae/stage.ts';
import type { Component } from '../../framework/stage/component.ts';
import type { StageFunction, StageInput } from '../../framework/stage/contract.ts';
import { createProject } from '../framework/support/project.ts';
import { leafInput } from '../helpers/stage-input.ts';
import { type Attempt, attemptStage } from '../helpers/stage-runner.ts';
import { uniforms } from './engine/steps/support/seeded.ts';

const size = 16;
const count = 24;
const pixels = Float32Array.from(uniforms('resume', count * size * size * 3));
const images: Dataset = {
  name: 'noise',
  count,
  size,
  channels: 3,
  classes: ['even', 'odd'],
  labels: Uint8Array.from({ length: count }, (_, i) => i % 2),
  read: (indices) => {
    const length = size * size * 3;
    const rows = Array.from(indices, (i) => pixels.subarray(i * length, (i + 1) * length));
    return Float32Array.from(rows.flatMap((row) => [...row]));
  },
};

const backbone = vit({ dim: 16, depth: 1, heads: 2, patch: 8 });
const codebook = { size: 8, dim: 4 };
// More steps than an epoch has, so that a resumed stage begins inside one.
const training = { steps: 10, batchSize: 8, warmupSteps: 2 };
const tokenizer = { ...training, width: 16, stride: 8 as const, residualBlocks: 1, codebook };
const kinds: { readonly [kind: string]: { component: Component; run: unknown } } = {
  vgg: {
    component: vgg({ ...training, width: 4, stages: 1, convsPerStage: 1, shift: 1, holdOut: 0.25 }),
    run: runVgg,
  },
  vqvae: { component: vqvae(tokenizer), run: runVqvae },
  dvae: { component: dvae(tokenizer), run: runDvae },
  mim: { component: maskedImageModelling({ ...training, backbone }), run: runMim },
  'fine-tuning': { component: fineTune({ ...training, backbone, labels: 16 }), run: runFineTune },
  'linear probe': { component: linearProbe({ backbone, layer: 1, labels: 16, steps: 10 }), run: runProbe },
};

function inputs(dir: string): { [name: string]: StageInput } {
  const frozen = vqvae(tokenizer);
  const { parameters, codebook: trained } = initVqvae(frozen.config as never, 0);
  saveTree(path.join(dir, 'tokenizer.safetensors'), { ...parameters, codebook: trained.vectors });
  const data: StageInput = { ...leafInput(frozen), load: async <T>() => images as T };
  const loaded: StageInput = {
    ...leafInput(frozen, dir),
    load: async <T>() => (await loadVqvae(loaded)) as T,
  };
  return { train: data, test: data, tokenizer: loaded };
}

for (const [kind, { component, run }] of Object.entries(kinds)) {
  test(`${kind}: stopped, resumed and trained in rungs, it puts out the same bytes`, async (t) => {
    t.deepEqual(component.issues, []);
    const { dir } = createProject(t, {});
    const given = inputs(dir);
    const attempt = (options: Omit<Attempt, 'dir' | 'config' | 'inputs'>, previous?: string) => {
      const rung =
        previous === undefined ? {} : { previous: { dir: path.join(dir, `out-${previous}`) } as StageInput };
      const all: { [name: string]: StageInput } = { ...given, ...(rung as { previous: StageInput }) };
      return attemptStage(run as StageFunction<never>, {
        ...options,
        dir,
        config: component.config,
        inputs: all,
      });
    };
    const whole = await attempt({ name: 'whole' });
    const names = Object.keys(whole.files);
    const first = await attempt({ name: 'first', until: 4 });
    t.true(Object.keys(first.files).includes('state/data/training.safetensors'));
    t.is((await attempt({ name: 'second', stopAt: 7 }, 'first')).end, 'stopped');
    const second = await attempt({ name: 'second' }, 'first');
    t.is(second.past.resumedFrom, 7);
    t.deepEqual(Object.keys(second.files), names);
    // Not of the bytes themselves: the message would be long.
    t.deepEqual(
      names.filter((name) => second.files[name] !== whole.files[name]),
      [],
    );
    t.deepEqual(second.metrics, whole.metrics);
  });
}
