import test from 'ava';
import { vit } from '../../../components/backbone/config.ts';
import { checkRecipe, planTraining, type Recipe } from '../../../components/training/recipe.ts';
import {
  ablationTable,
  defineExperiment,
  dvae,
  fashionMnist,
  fineTune,
  linearProbe,
  maskedImageModelling,
  successiveHalving,
  tokenizerEvaluation,
  vgg,
  vqvae,
} from '../../../index.ts';
import { refusals } from '../../support/refused.ts';

const backbone = vit({ dim: 8, depth: 1, heads: 1, patch: 8 });
const base: Recipe = { batchSize: 64, learningRate: 1, betas: [0.9, 0.999], weightDecay: 0, clipNorm: 0 };
const plan = (recipe: Partial<Recipe>, images: number, until?: number) =>
  planTraining({ ...base, ...recipe }, images, until);

test('epochs are whole steps that show every image so often at least', (t) => {
  t.is(plan({ epochs: 1 }, 640).steps, 10);
  t.is(plan({ epochs: 1 }, 641).steps, 11);
  t.is(plan({ epochs: 3 }, 100).steps, 5);
  t.is(plan({ epochs: 0.1 }, 640).steps, 1, 'not 2 because of rounding');
  t.is(plan({ epochs: 800, batchSize: 2048 }, 1_281_167).steps, 500_456);
  t.is(plan({ epochs: 1e-12 }, 640).steps, 1, 'not a training of no steps');
  t.is(plan({ steps: 7 }, 640).steps, 7);
});

test('warm-up and rungs have the unit of the length', (t) => {
  t.like(plan({ epochs: 10, warmup: 2 }, 640, 3), { steps: 100, warmup: 20, end: 30 });
  t.like(plan({ steps: 10, warmup: 2 }, 640, 3), { steps: 10, warmup: 2, end: 3 });
  t.is(plan({ epochs: 10 }, 640).end, 100);
});

test('a batch is made of whole micro-batches', (t) => {
  t.like(plan({ steps: 1 }, 640), { microBatch: 64, parts: 1 });
  t.like(plan({ steps: 1, microBatch: 16 }, 640), { microBatch: 16, parts: 4 });
  const [issue] = checkRecipe({ ...base, steps: 1, microBatch: 24 });
  t.deepEqual(issue, { path: ['microBatch'], message: 'must divide `batchSize`, 64' });
});

test('every training counts in epochs or in steps, and in one of them', (t) => {
  const trainings = {
    vqvae,
    dvae,
    mim: (length: never) => maskedImageModelling({ backbone, ...(length as { steps: number }) }),
    finetune: (length: never) => fineTune({ labels: 100, ...(length as { steps: number }) }),
  };
  for (const [name, make] of Object.entries(trainings)) {
    const issues = (length: object) => make(length as never).issues.map(({ path }) => path.join('.'));
    t.deepEqual(issues({ steps: 10 }), [], name);
    t.deepEqual(issues({ epochs: 10 }), [], name);
    t.deepEqual(issues({}), ['steps'], name);
    t.deepEqual(issues({ steps: 10, epochs: 10 }), ['epochs'], name);
  }
  t.is(vgg().config.steps, 300);
  t.false('steps' in vgg({ epochs: 4 }).config);
});

test('a warm-up that is not given is a fifth at most, in the unit of the length', (t) => {
  const warmup = (epochs: number) => vqvae({ epochs }).config.warmup;
  t.deepEqual([1, 40, 800].map(warmup), [0.2, 8, 10]);
});

test('rungs of a halving are epochs where the tokenizer counts epochs', (t) => {
  const halved = (rungs: number[], sweep: { readonly [field: string]: unknown }) =>
    defineExperiment({
      ...{ name: 'epochs', seeds: [0], baseline: 'pixel', report: ablationTable() },
      data: { train: fashionMnist({ split: 'train' }), test: fashionMnist({ split: 'test' }) },
      tokenizers: { pixel: vqvae({ epochs: 5 }), other: vqvae({ steps: 5 }) },
      evaluation: tokenizerEvaluation(),
      pretraining: { base: maskedImageModelling({ epochs: 1, backbone }) },
      downstream: { probe: linearProbe({ layer: 1, labels: 100 }) },
      sweep: successiveHalving([sweep, {}] as never, { metric: 'psnr', rungs }),
    });
  const rate = { 'tokenizers.pixel.learningRate': 0.1 };
  t.deepEqual(refusals(halved([2, 4], rate)), []);
  t.deepEqual(refusals(halved([2, 8], rate)), [
    'sweep: successiveHalving: the rung 8 is beyond the 5 epochs of tokenizers.pixel',
  ]);
  t.deepEqual(refusals(halved([2], { 'tokenizers.pixel.epochs': 4 })), [
    "sweep: successiveHalving: tokenizers.pixel.epochs can't be swept: rungs are epochs of one schedule",
  ]);
  // Steps beside epochs are a length that is said twice.
  t.regex(refusals(halved([2], { 'tokenizers.pixel.steps': 4 })).join(), /is given beside `steps`/);
});
