import test from 'ava';
import type { Backbone } from '../../../components/backbone/checkpoint.ts';
import { vit, vitSchema } from '../../../components/backbone/config.ts';
import { initVit } from '../../../components/backbone/init.ts';
import { fineTune } from '../../../components/downstream/finetune/config.ts';
import { linearProbe } from '../../../components/downstream/probe/config.ts';
import { random } from '../../../components/nn/random.ts';
import { hostTensor, mapTree, type TreeOf } from '../../../components/nn/tree.ts';
import type { StageFunction, StageInput } from '../../../framework/stage/contract.ts';
import { createProject } from '../../support/project.ts';
import { attemptStage } from '../../support/stage-runner.ts';
import { inputsOf, kinds } from '../support/trainings.ts';

const config = vitSchema.parse(vit({ dim: 16, depth: 2, heads: 2, patch: 8 }));
const backbone: Backbone = { config, imageSize: 16, weights: initVit(random(0), config, 16) };

/** Runs a task on the pretrained backbone. */
async function runTask(dir: string, kind: string, component: { config: object }, given = backbone) {
  const inputs = inputsOf(dir);
  const pretrained = { ...inputs.train!, load: async () => given } as StageInput;
  return attemptStage(kinds[kind]!.run as StageFunction<never>, {
    ...{ dir, name: kind, config: component.config as never, inputs: { ...inputs, pretrained } },
  });
}

test('a probe of an inner layer runs no block behind it', async (t) => {
  const { dir } = createProject(t, {});
  const { blocks } = backbone.weights;
  const broken = mapTree(blocks['1'] as unknown as TreeOf<ReturnType<typeof hostTensor>>, ({ shape }) =>
    hostTensor(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(Number.NaN)),
  ) as never;
  const given = { ...backbone, weights: { ...backbone.weights, blocks: { ...blocks, 1: broken } } };
  const probe = (layer: number) => linearProbe({ layer, labels: 16 });
  const { metrics } = await runTask(dir, 'linear probe', probe(1), given);
  t.true(metrics.top1! >= 0 && metrics.images === 24);
  await t.throwsAsync(runTask(dir, 'linear probe', probe(2), given), { message: /give NaN/ });
  await t.throwsAsync(runTask(dir, 'linear probe', probe(3), given), {
    message: /has 2 blocks, and no layer 3/,
  });
});

test('tasks look at images of another size than the pretraining, as long as patches tile them', async (t) => {
  const { dir } = createProject(t, {});
  const tuned = (size: number) => fineTune({ labels: 16, steps: 2, batchSize: 8, view: { size } });
  const { files } = await runTask(dir, 'fine-tuning', tuned(24));
  // 3 x 3 patches: 25 distances and three rows of the class token, in each block.
  t.regex(
    Buffer.from(files['classifier.safetensors']!, 'hex').toString('latin1'),
    /"vit\/blocks\/1\/relativePositions":{[^}]*"shape":\[28,2\]/,
  );
  const probe = linearProbe({ layer: 1, labels: 16, view: { size: 24 } });
  t.true((await runTask(dir, 'linear probe', probe)).metrics.top1! >= 0);
  await t.throwsAsync(runTask(dir, 'fine-tuning', tuned(20)), {
    message: "images have 20 pixels a side, but the backbone's patches have 8",
  });
});

test('a size that patches do not tile is refused before anything runs', (t) => {
  const facts = (size: number, more = {}) => ({
    train: { name: 'data.train', facts: { size, images: 100, classes: 2 } },
    pretrained: { name: 'the pretraining "base"', facts: { size: 16, depth: 2, ...more } },
  });
  const { expects } = fineTune({ labels: 16, steps: 2, batchSize: 8 });
  t.deepEqual(expects!(facts(24, { patch: 8 })), []);
  t.deepEqual(expects!(facts(20, { patch: 8 })), [
    {
      path: ['view', 'size'],
      message: 'expected a multiple of 8, the patch of the pretraining "base", not 20',
    },
  ]);
  // Of a network that doesn't tell its patches nothing else is known.
  t.deepEqual(expects!(facts(24)), [
    { path: ['view', 'size'], message: 'expected 16, the size that the pretraining "base" sees, not 24' },
  ]);
});
