import test from 'ava';
import {
  defineExperiment,
  dvae,
  fashionMnist,
  fineTune,
  inception,
  linearProbe,
  maskedImageModelling,
  tokenizerEvaluation,
  vgg,
  vit,
  vqvae,
} from '../../index.ts';
import { refusals } from '../support/refused.ts';

const tokenizer = { width: 16, codebook: { size: 32, dim: 8 }, steps: 20, batchSize: 16 } as const;
const backbone = vit({ dim: 32, depth: 2, heads: 2, patch: 8 });
const perceptual = {
  network: vgg({ width: 8, blocks: 2, steps: 20, batchSize: 16 }),
  layers: ['relu1_1', 'relu2_1'],
};

/** Every training of the project, small. 400 of the shipped train images have 31 of the rarest class. */
const experiment = defineExperiment({
  name: 'small',
  seeds: [0],
  data: {
    train: fashionMnist({ split: 'train', range: [0, 400] }),
    test: fashionMnist({ split: 'test', range: [0, 100] }),
  },
  tokenizers: {
    beit: dvae(tokenizer),
    peco: vqvae({ ...tokenizer, loss: { perceptual } }),
    inception: vqvae({ ...tokenizer, loss: { perceptual: { network: inception({}), layers: ['mixed0'] } } }),
  },
  evaluation: tokenizerEvaluation({ probeLabels: 100 }),
  pretraining: { base: maskedImageModelling({ backbone, steps: 20, batchSize: 16 }) },
  downstream: {
    finetune: fineTune({ labels: 100, steps: 20, batchSize: 16 }),
    probe: linearProbe({ layer: 2, labels: 100 }),
  },
  scratch: {
    downstream: {
      finetune: fineTune({ backbone, labels: 100, steps: 20, batchSize: 16 }),
      probe: linearProbe({ backbone, layer: 2, labels: 100 }),
    },
  },
  baseline: 'beit',
});

const network = 'tokenizers.peco.loss.perceptual.network';
const layers = 'tokenizers.peco.loss.perceptual.layers';

/** A change each, by --set, and the start of the one complaint about it. */
const refused: readonly (readonly [change: string | readonly string[], complaint: string])[] = [
  [
    'pretraining.base.backbone.mlpRatio=0.01',
    'pretraining.base.backbone.mlpRatio: leaves the MLP no hidden unit',
  ],
  ['pretraining.base.backbone.heads=3', 'pretraining.base.backbone.heads: must divide `dim`, 32'],
  [
    'scratch.downstream.probe.backbone.heads=5',
    'scratch.downstream.probe.backbone.heads: must divide `dim`, 32',
  ],
  [
    'scratch.downstream.finetune.backbone.patch=5',
    'scratch.downstream.finetune.backbone.patch: expected a divisor of 32, the size of data.train',
  ],
  [
    'tokenizers.peco.stride=16',
    'pretraining.base.backbone.patch: expected 16, the stride of the tokenizer "peco"',
  ],
  ['data.test.size=40', 'data.test.size: expected 32, the size of data.train, not 40'],
  ['data.train.range=[0,400000]', 'data.train.range: ends beyond the 10000 images of the shipped split'],
  ['data.train.range=[400,0]', 'data.train.range: the range must begin before it ends'],
  ['data.train.range=[400,100]', 'data.train.range: the range must begin before it ends'],
  ['data.test.range=[7,7]', 'data.test.range: the range must begin before it ends'],
  ['downstream.finetune.labels=10', 'downstream.finetune.labels: must be at least `batchSize`, 16'],
  ['downstream.probe.labels=5', 'downstream.probe.labels: expected at least 10, the classes of data.train'],
  ['downstream.probe.labels=500', 'downstream.probe.labels: expected at most 400, the images of data.train'],
  ['downstream.probe.labels=320', 'downstream.probe.labels: expected at most 319'],
  [
    'scratch.downstream.probe.labels=500',
    'scratch.downstream.probe.labels: expected at most 400, the images of data.train',
  ],
  ['evaluation.probeLabels=5', 'evaluation.probeLabels: expected at least 10, the classes of data.train'],
  ['evaluation.probeLabels=5000', 'evaluation.probeLabels: expected at most 400, the images of data.train'],
  [
    'downstream.probe.layer=3',
    'downstream.probe.layer: expected at most 2, the depth of the pretraining "base"',
  ],
  [
    'scratch.downstream.probe.layer=3',
    'scratch.downstream.probe.layer: expected at most 2, the depth of `backbone`',
  ],
  [
    'tokenizers.beit.batchSize=401',
    'tokenizers.beit.batchSize: expected at most 400, the images of data.train',
  ],
  [
    'pretraining.base.batchSize=401',
    'pretraining.base.batchSize: expected at most 400, the images of data.train',
  ],
  [`${network}.batchSize=361`, `${network}.batchSize: expected at most 360`],
  [`${network}.holdOut=0.999`, `${network}.holdOut: keeps back all 400 images of data.train`],
  [`${network}.holdOut=0.99`, `${network}.batchSize: expected at most 4`],
  [`${network}.blocks=5`, ''],
  [`${network}.warmup=20`, `${network}.warmup: must be less than \`steps\`, 20`],
  ['tokenizers.beit.warmup=20', 'tokenizers.beit.warmup: must be less than `steps`, 20'],
  ['pretraining.base.warmup=50', 'pretraining.base.warmup: must be less than `steps`, 20'],
  ['downstream.finetune.warmup=20', 'downstream.finetune.warmup: must be less than `steps`, 20'],
  ['pretraining.base.epochs=3', 'pretraining.base.epochs: is given beside `steps`'],
  ['tokenizers.beit.epochs=3', 'tokenizers.beit.epochs: is given beside `steps`'],
  [`${network}.epochs=3`, `${network}.epochs: is given beside \`steps\``],
  ['downstream.finetune.microBatch=3', 'downstream.finetune.microBatch: must divide `batchSize`, 16'],
  ['pretraining.base.warmup=1.5', 'pretraining.base.warmup: must be a whole number of steps'],
  ['pretraining.base.minMaskPatches=40', 'pretraining.base.minMaskPatches: expected at most 6'],
  ['pretraining.base.minMaskPatches=7', 'pretraining.base.minMaskPatches: expected at most 6'],
  ['pretraining.base.maskRatio=0.03', 'pretraining.base.maskRatio: expected 0.032 to 0.968'],
  ['pretraining.base.maskRatio=0.97', 'pretraining.base.maskRatio: expected 0.032 to 0.968'],
  [
    'pretraining.base.minLearningRate=1',
    'pretraining.base.minLearningRate: must be at most `learningRate`, 0.0015',
  ],
  [
    'downstream.finetune.minLearningRate=1',
    'downstream.finetune.minLearningRate: must be at most `learningRate`, 0.001',
  ],
  ['tokenizers.beit.temperature.to=2', 'tokenizers.beit.temperature.to: must be at most `from`, 1'],
  ['tokenizers.peco.codebook.decay=1', 'tokenizers.peco.codebook.decay: must be less than 1'],
  ['tokenizers.peco.codebook.reviveBelow=1.5', 'tokenizers.peco.codebook.reviveBelow: must be at most 1'],
  [
    ['tokenizers.peco.codebook.reviveBelow=1', 'tokenizers.peco.codebook.size=512'],
    'tokenizers.peco.codebook.reviveBelow: expected at most 0.5',
  ],
  [
    'tokenizers.beit.loss.pixel=0',
    'tokenizers.beit.loss.pixel: must be above 0 where there is no perceptual loss',
  ],
  [`${layers}.1=relu1_1`, `${layers}.1: is listed twice`],
  [`${layers}.1=relu3_1`, `${layers}.1: the network "vgg" has no such layer`],
];

test('the small experiment is valid', (t) => {
  t.deepEqual(refusals(experiment), []);
});

for (const [change, complaint] of refused) {
  const set = typeof change === 'string' ? [change] : change;
  test(`${set.join(' with ')} is refused${complaint === '' ? ' nowhere' : ' with its field'}`, (t) => {
    const found = refusals(experiment, { set });
    t.is(found.length, complaint === '' ? 0 : 1, found.join('\n'));
    t.true((found[0] ?? '').startsWith(complaint), found[0]);
  });
}

test('the same values are refused in a sweep', (t) => {
  for (const [change] of refused) {
    if (typeof change !== 'string' || change === `${network}.blocks=5`) continue;
    const [path, value] = change.split('=');
    const found = refusals(experiment, { sweep: [`${path}=${value}`] });
    t.is(found.length, 1, `${change}: ${found.join('\n')}`);
  }
});

test('what may be nothing, or all there is, may', (t) => {
  const edges = [
    'tokenizers.beit.batchSize=400',
    'pretraining.base.batchSize=400',
    `${network}.batchSize=360`,
    'downstream.probe.labels=319',
    'downstream.probe.labels=55',
    'downstream.finetune.labels=20',
    'evaluation.probeLabels=0',
    'pretraining.base.warmup=19',
    'pretraining.base.warmup=0',
    'pretraining.base.minLearningRate=0.0015',
    'tokenizers.peco.codebook.decay=0',
    'tokenizers.peco.codebook.reviveBelow=0',
    'tokenizers.peco.codebook.reviveBelow=1',
  ];
  for (const set of edges) t.deepEqual(refusals(experiment, { set: [set] }), [], set);
});

test('defaults adapt to the training: a warm-up of a fifth of the steps at most, a minimum below the peak', (t) => {
  const pretraining = (steps: number) => maskedImageModelling({ backbone, steps });
  const warmups = [1, 4, 5, 20, 249, 250, 300].map((steps) => pretraining(steps).config.warmup);
  t.deepEqual(warmups, [0, 0, 1, 4, 49, 50, 50]);
  t.is(fineTune({ labels: 100, steps: 1, learningRate: 1e-7 }).config.minLearningRate, 1e-7);
  t.is(fineTune({ labels: 100, steps: 1 }).config.minLearningRate, 1e-6);
  t.is(vqvae({ steps: 50 }).config.warmup, 10);
  t.is(vgg({}).config.warmup, 20);
  t.is(vgg({ warmup: 0 }).config.warmup, 0);
});

test('a row without pretraining needs a network of its own', (t) => {
  const bare = { ...experiment, scratch: { downstream: { probe: linearProbe({ layer: 1, labels: 100 }) } } };
  t.snapshot(refusals(defineExperiment(bare)));
});

test('images that shrink away before the last stage of a network are refused', (t) => {
  // Nothing that ships is as small; a data set that says so is enough.
  const train = { ...experiment.data.train, provides: { size: 8, images: 400 } };
  const small = vgg({ blocks: 5 });
  const facts = { train: { name: 'data.train', facts: train.provides } };
  t.snapshot([...small.expects!(facts), ...inception({}).expects!(facts)]);
  t.deepEqual(vgg({ blocks: 4 }).expects!({ train: { name: 'data.train', facts: { size: 8 } } }), []);
});

test('inputs that do not say what they are like are believed', (t) => {
  const unknown = { name: 'data.train', facts: {} };
  const inputs = { train: unknown, test: unknown, tokenizer: unknown, pretrained: unknown };
  const components = [
    ...Object.values(experiment.tokenizers),
    ...Object.values(experiment.pretraining),
    ...Object.values(experiment.downstream),
    experiment.evaluation,
  ];
  for (const component of components) t.deepEqual(component.expects!(inputs), [], component.kind);
});

test('the messages of all that is refused, with their hints', (t) => {
  const lines = refused.flatMap(([change]) =>
    refusals(experiment, { set: typeof change === 'string' ? [change] : change }),
  );
  t.snapshot(lines.join('\n'));
});
