import test, { type ExecutionContext } from 'ava';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import type { LoadOptions } from '../../../framework/experiment/types.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { createProject, portable, repository } from '../../support/project.ts';

/** Tokenizers with strides of 4 and 8, and a backbone whose patches are to fit them. */
const experiment = (peco: number, patch: number) => `
import { defineExperiment, dvae, fashionMnist, fineTune, linearProbe, maskedImageModelling, vit, vqvae } from '${repository}/index.ts';

const backbone = vit({ dim: 32, depth: 1, heads: 2, patch: ${patch} });

export default defineExperiment({
  name: 'wiring',
  seeds: [0],
  data: { train: fashionMnist({ split: 'train' }), test: fashionMnist({ split: 'test' }) },
  tokenizers: { beit: dvae({ stride: 8, steps: 1 }), peco: vqvae({ stride: ${peco}, steps: 1 }) },
  pretraining: { base: maskedImageModelling({ backbone, steps: 1 }) },
  downstream: { finetune: fineTune({ labels: 100, steps: 1 }), probe: linearProbe({ layer: 1, labels: 100 }) },
  baseline: 'beit',
});
`;

async function load(t: ExecutionContext, text: string, options: Partial<LoadOptions> = {}) {
  const project = createProject(t, { 'experiment.ts': text });
  const loading = loadExperiment('experiment.ts', { cwd: project.dir, ...options });
  return loading.then(
    () => 'valid',
    (error) => portable(formatError(error), project),
  );
}

test('a patch that is not the stride of a tokenizer is refused before anything runs', async (t) => {
  t.is(await load(t, experiment(8, 8)), 'valid');
  t.snapshot(await load(t, experiment(4, 8)), 'one of two tokenizers');
  t.snapshot(await load(t, experiment(8, 4)), 'both');
});

test('the same for values of --set and for rows of a sweep', async (t) => {
  const good = experiment(8, 8);
  t.snapshot(await load(t, good, { set: ['pretraining.base.backbone.patch=4'] }), '--set of the patch');
  t.snapshot(await load(t, good, { set: ['tokenizers.peco.stride=4'] }), '--set of the stride');
  t.snapshot(await load(t, good, { sweep: ['tokenizers.peco.stride=8,16'] }), '--sweep');
});

test('more labels than there are images, and a layer beyond the last, are refused', async (t) => {
  const set = ['data.train.range=[0,50]', 'downstream.probe.layer=2'];
  t.snapshot(await load(t, experiment(8, 8), { set }));
});

test("a message names data of a task's own by their place: another task's are called the same", async (t) => {
  const own = `
    seg: upernet({
      steps: 1,
      batchSize: 2,
      train: composites({ split: 'train', target: 'label map', count: 8 }),
      test: composites({ split: 'test', target: 'instances', count: 8 }),
    }),
    other: linearProbe({
      layer: 1,
      labels: 100,
      train: composites({ split: 'train', target: 'class', count: 50 }),
      test: composites({ split: 'test', target: 'class', count: 8 }),
    }),`;
  const text = experiment(8, 8).replace('downstream: {', `downstream: {${own}`);
  t.snapshot(await load(t, text.replace('import {', 'import { composites, upernet,')));
});
