import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import type { HostTensor } from '../../components/engine/types.ts';
import { loadTree } from '../../components/weights/safetensors.ts';
import type { StageFunction } from '../../framework/stage/contract.ts';
import type { JsonObject } from '../../framework/stage/json.ts';
import { createProject } from '../support/project.ts';
import { attemptStage } from '../support/stage-runner.ts';
import { differences, furthest, largest } from './engine/steps/support/compare.ts';
import { namedState, type Tensors } from './engine/steps/support/train.ts';
import { inputsOf, kinds } from './support/trainings.ts';

/** Trainings that take batches of images. A mean posterior is one of the batch, which no sum of parts can be. */
const trainings = Object.entries(kinds)
  .filter(([kind]) => kind !== 'linear probe')
  .map(([kind, { component, run }]) => {
    const config: JsonObject = kind === 'dvae' ? { ...component.config, usageWeight: 0 } : component.config;
    return { kind, role: component.role, config, run: run as StageFunction<never> };
  });

/** The state after a step, and what the step showed. */
async function afterStep(dir: string, name: string, run: StageFunction<never>, config: JsonObject) {
  const { shown } = await attemptStage(run, { dir, name, config, inputs: inputsOf(dir), stopAt: 1 });
  const work = path.join(dir, `work-${name}`);
  const [file] = fs
    .readdirSync(work, { recursive: true, encoding: 'utf8' })
    .filter((each) => each.endsWith('training.safetensors'));
  const { state } = loadTree<{ state: { [part: string]: HostTensor } }>(path.join(work, file!));
  return { state: namedState(state), values: shown.at(-1)!.values! };
}

/** As the fixtures' gradients: the first moments, and what no gradient moves. Adam makes steps of any size of rounding. */
function comparable(state: Tensors): Tensors {
  const kept = Object.entries(state).filter(([name]) => /^(moments\/first|codebook)\//.test(name));
  return Object.fromEntries(kept);
}

for (const { kind, role, config, run } of trainings) {
  test(`${kind}: gradients and statistics of micro-batches are those of the batch`, async (t) => {
    const { dir } = createProject(t, {});
    const whole = await afterStep(dir, 'whole', run, config);
    const parts = await afterStep(dir, 'parts', run, { ...config, microBatch: 2 });
    const [expected, actual] = [comparable(whole.state), comparable(parts.state)];
    t.deepEqual(Object.keys(actual), Object.keys(expected));
    const worst = furthest(differences(actual, expected, largest));
    // Of unit codes 1.2e-5: short vectors are divided by their length.
    t.true(worst.distance < 2e-5, `${worst.path} is off by ${worst.distance}`);
    t.deepEqual(Object.keys(parts.values), Object.keys(whole.values));
    // Each tokenizer says how its batches use the codes.
    if (role === 'tokenizer') {
      const { perplexity, codesUsed } = whole.values;
      const size = (config.codebook as { size: number }).size;
      t.true(perplexity! >= 1 && perplexity! <= size * codesUsed! * (1 + 1e-6) && codesUsed! <= 1);
    }
    for (const [name, value] of Object.entries(whole.values)) {
      // It is of the mean posterior, and that of a part isn't that of the batch.
      if (name === 'usage') continue;
      t.true(Math.abs(parts.values[name]! - value) < 1e-5 * (1 + Math.abs(value)), name);
    }
  });
}

/**
 * That is the loop's doing, whatever is trained (tests/components/resume.test.ts has all kinds): one with a codebook that no
 * gradient moves and a start from images, and one with noise, mixed images and held-out ones.
 */
const resumed = ['vqvae of unit codes from k-means', 'fine-tuning'];
for (const { kind, config, run } of trainings.filter((one) => resumed.includes(one.kind))) {
  test(`${kind}: micro-batches, stopped and resumed and in rungs, end in the same bytes`, async (t) => {
    const { dir } = createProject(t, {});
    const given = { dir, config: { ...config, microBatch: 4 }, inputs: inputsOf(dir) };
    const whole = await attemptStage(run, { ...given, name: 'whole' });
    t.is((await attemptStage(run, { ...given, name: 'stopped', stopAt: 7 })).end, 'stopped');
    const resumed = await attemptStage(run, { ...given, name: 'stopped' });
    t.is(resumed.past.resumedFrom, 7);
    const names = Object.keys(whole.files);
    t.deepEqual(
      names.filter((name) => resumed.files[name] !== whole.files[name]),
      [],
    );
  });
}

test('a rung ends after so many epochs where the training counts in epochs', async (t) => {
  const { dir } = createProject(t, {});
  const { config, run } = trainings.find(({ kind }) => kind === 'vqvae')!;
  const { steps: _, ...others } = config;
  // 24 images in batches of 8: an epoch is 3 steps.
  const given = { dir, config: { ...others, epochs: 3, warmup: 1 }, inputs: inputsOf(dir) };
  const { shown } = await attemptStage(run, { ...given, name: 'rung', until: 2 });
  t.deepEqual([shown.at(-1)!.step, shown.at(-1)!.of], [6, 6]);
  const whole = await attemptStage(run, { ...given, name: 'whole' });
  t.is(whole.shown.at(-1)!.step, 9);
  const inSteps = await attemptStage(run, {
    ...given,
    name: 'steps',
    config: { ...others, steps: 9, warmup: 3 },
  });
  t.deepEqual(whole.files, inSteps.files);
});
