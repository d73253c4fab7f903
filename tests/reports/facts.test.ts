import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { StageInput } from '../../framework/stage/contract.ts';
import type { JsonObject } from '../../framework/stage/json.ts';
import { readFacts } from '../../reports/facts.ts';
import { warningsOf } from '../../reports/warnings.ts';
import { createProject } from '../support/project.ts';
import { cell, leaf, tableOf } from './support.ts';

/** Makes stages that have results in a folder of the test's own. */
function stages(t: ExecutionContext) {
  const { dir } = createProject(t, {});
  let count = 0;
  const stage = (
    kind: string,
    inputs: StageInput['inputs'] = {},
    about?: string,
    engine = 'onnx',
  ): StageInput => {
    const folder = path.join(dir, String(count++));
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'metrics.json'), JSON.stringify({ engine, about, metrics: {} }));
    return { ...leaf(kind), dir: folder, inputs };
  };
  return { leaf, stage };
}

test('what stages say of themselves, of networks too, and what they were given', async (t) => {
  const { leaf, stage } = stages(t);
  const data = {
    train: leaf('fashion-mnist', { split: 'train', range: [0, 8000], size: 32 }),
    test: leaf('fashion-mnist', { split: 'test', size: 32 }),
  };
  const network = stage('vgg', { train: data.train }, 'network trained on 9,000 labels');
  const peco = stage(
    'vqvae',
    { train: data.train, network },
    'pixel loss with weight 1, perceptual loss on relu3_2',
  );
  const pixel = stage('dvae', { train: data.train }, 'pixel loss only');
  const evaluation = (tokenizer: StageInput) => stage('tokenizer-evaluation', { ...data, tokenizer });
  const cells = [
    {
      ...cell('pixel', 0, { images: 10_000, psnr: 16 }, 'tokenizer'),
      perImage: { psnr: Array<number>(10_000).fill(1), codewordTop1: Array<number>(2000).fill(1) },
    },
    cell('peco', 0, { images: 10_000, psnr: 14 }, 'tokenizer'),
    cell('peco', 1, { images: 10_000, psnr: 14 }, 'tokenizer'),
  ];
  const inputs = {
    [cells[0].input]: evaluation(pixel),
    [cells[1].input]: evaluation(peco),
    [cells[2].input]: evaluation(
      stage('vqvae', peco.inputs, 'pixel loss with weight 1, perceptual loss on relu3_2'),
    ),
  };
  t.snapshot(await readFacts(tableOf(cells), cells, inputs));
});

test('where tasks have data of their own, it is said whose they are, and what the pretraining saw', async (t) => {
  const { leaf, stage } = stages(t);
  const [scenes, maps, objects] = ['composites', 'ade20k', 'coco'].map((kind) => ({
    train: leaf(kind, { split: 'train' }),
    test: leaf(kind, { split: 'test' }),
  })) as unknown as [StageInput['inputs'], StageInput['inputs'], StageInput['inputs']];
  const pretrained = stage('body', {
    train: scenes.train!,
    tokenizer: stage('dvae', { train: scenes.train! }),
  });
  const cells = ['probe', 'segmentation', 'detection'].map((task) => cell('beit', 0, {}, task));
  const inputs = Object.fromEntries(
    [scenes, maps, { ...objects, test: scenes.test! }].map((data, place) => [
      cells[place]!.input,
      stage('task', { ...data, pretrained }),
    ]),
  );
  t.snapshot(await readFacts(tableOf(cells), cells, inputs));
});

test('of components that say nothing, no more is said than their kind and config', async (t) => {
  const { leaf, stage } = stages(t);
  const train = leaf('my-images', { split: { of: 3 }, range: 5, note: 'x'.repeat(200) });
  const imported = {
    ...leaf('my-tokenizer', { loss: { perceptual: 'mine' } }),
    inputs: { network: leaf('my-network') },
  };
  const own = stage('my-trained', { train, network: stage('my-net') });
  const cells = [
    cell('a', 7, { images: 0.5, top1: 1 }),
    cell('b', 7, { top1: 1 }),
    cell('scratch', 7, { top1: 1 }),
  ];
  const after = (tokenizer: StageInput) => stage('task', { pretrained: stage('body', { tokenizer }), train });
  const inputs = {
    [cells[0].input]: after(imported),
    [cells[1].input]: after(own),
    [cells[2].input]: stage('task'),
  };
  t.snapshot(await readFacts(tableOf(cells), cells, inputs));
});

test('rows whose tokenizers say the same have one line', async (t) => {
  const { stage } = stages(t);
  const cells = [...'abcdefgh', 'other'].map((variant) => cell(variant, 0, {}, 'tokenizer'));
  const about = (variant: string) => (variant === 'other' ? 'own' : 'pixel loss only');
  const inputs = Object.fromEntries(
    cells.map(({ input, variant }) => [
      input,
      stage('evaluation', { tokenizer: stage('vqvae', {}, about(variant)) }),
    ]),
  );
  t.deepEqual(
    (await readFacts(tableOf(cells), cells, inputs)).filter((fact) => fact.startsWith('Tokenizer')),
    ['Tokenizer of a, b, c, d, e, f and 2 more: vqvae, pixel loss only', 'Tokenizer of other: vqvae, own'],
  );
});

test('what is true of some rows of a task is said of those', async (t) => {
  const about = (variant: string, seed: number, text?: string) => ({
    ...cell(variant, seed, {}),
    ...(text === undefined ? {} : { about: text }),
  });
  const results = [
    about('beit', 0, '5,000 labels'),
    about('beit', 1, '5,000 labels, stopped before the optimum'),
    about('peco', 0, '5,000 labels'),
    about('peco', 1, '5,000 labels'),
    ...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => about(name, 0, 'imported')),
    { ...about('beit', 0, 'PSNR of 28x28'), task: 'tokenizer' },
    { ...about('quiet', 0), task: 'other' },
  ];
  t.snapshot(await readFacts(tableOf([], { variants: [], baseline: 'a' }), results, {}));
});

test('which engine and precision made which part of which row, where it was not one that made all', async (t) => {
  const { leaf, stage } = stages(t);
  const train = leaf('images');
  const by = (engine: string, kind: string, inputs: StageInput['inputs'] = {}) =>
    stage(kind, { train, ...inputs }, undefined, engine);
  const network = by('reference', 'vgg');
  const tokenizers = {
    beit: by('onnx', 'dvae'),
    peco: by('tensorflow:bf16', 'vqvae', { network, previous: by('wasm', 'rung') }),
  };
  const cells = (['beit', 'peco'] as const).flatMap((variant) =>
    [0, 1].flatMap((seed) => {
      const moved = variant === 'peco' && seed === 1;
      const pretrained = by(moved ? 'onnx, from step 60 tensorflow:bf16' : 'onnx', 'mim', {
        tokenizer: tokenizers[variant],
      });
      const engine = seed === 0 ? 'onnx' : 'tensorflow:xla';
      return [
        { result: { ...cell(variant, seed, {}), engine }, stage: by(engine, 'probe', { pretrained }) },
        {
          result: { ...cell(variant, seed, {}, 'tokenizer'), engine: 'onnx' },
          stage: by('onnx', 'evaluation', { tokenizer: tokenizers[variant] }),
        },
      ];
    }),
  );
  const results = cells.map(({ result }) => result);
  const inputs = Object.fromEntries(cells.map(({ result, stage: made }) => [result.input, made]));
  const facts = await readFacts(tableOf(results), results, inputs);
  t.deepEqual(
    facts.filter((fact) => fact.startsWith('Engine')),
    [
      'Engine of tokenizers (beit): onnx',
      'Engine of tokenizers (peco): tensorflow:bf16',
      'Engine of pretraining (beit, peco seed 0): onnx',
      'Engine of pretraining (peco seed 1): onnx, from step 60 tensorflow:bf16',
      'Engine of networks: reference',
      'Engine of probe (beit seed 0, peco seed 0): onnx',
      'Engine of probe (beit seed 1, peco seed 1): tensorflow:xla',
      'Engine of measures of tokenizers: onnx',
    ],
  );
  const one = results.filter((_, index) => index === 1);
  t.true((await readFacts(tableOf(one), one, inputs)).includes('Engine: onnx'));
});

test('where nothing is known nothing is said', async (t) => {
  t.deepEqual(await readFacts(tableOf([], { variants: ['a'], baseline: 'a' }), [], {}), []);
});

test('a tokenizer that uses next to none of its codes is warned of, by its seeds', async (t) => {
  const { leaf, stage } = stages(t);
  const of = (codebook: JsonObject) =>
    stage('tokenizer-evaluation', { tokenizer: leaf('vqvae', { codebook }) });
  const cells = [
    cell('fine', 0, { usage: 0.1, perplexity: 12.8 }, 'tokenizer'),
    cell('few', 0, { usage: 2 / 256, perplexity: 1.9 }, 'tokenizer'),
    cell('few', 1, { usage: 25 / 256, perplexity: 20 }, 'tokenizer'),
    cell('uneven', 0, { usage: 0.9, perplexity: 100 }, 'tokenizer'),
    cell('uneven', 1, { usage: 0.9, perplexity: 12.7 }, 'tokenizer'),
    cell('other', 0, { usage: 0.01, perplexity: 1 }, 'tokenizer'),
  ];
  const inputs = Object.fromEntries(
    cells.map(({ input, variant }) => [input, of(variant === 'other' ? { codes: 8 } : { size: 256 })]),
  );
  t.snapshot(await warningsOf(tableOf(cells), cells, inputs));
  t.deepEqual(await warningsOf(tableOf(cells, { smoke: true }), cells, inputs), []);
});

test('few tokens are measured by the codes that they can use, and a fact says how many that is', async (t) => {
  const { leaf, stage } = stages(t);
  // 64 tokens of 8,192 codes: 0.8 % of them can be used at most.
  const counting = (counts: readonly number[]) => {
    const evaluation = stage('tokenizer-evaluation', { tokenizer: leaf('dalle') });
    const all = [...counts, ...Array<number>(8192 - counts.length).fill(0)];
    const use = { images: 4, counts: all, shown: [], patch: 8, gap: 1 };
    fs.writeFileSync(path.join(evaluation.dir, 'codebook.json'), JSON.stringify(use));
    return evaluation;
  };
  const cells = [
    cell('each', 0, { usage: 64 / 8192, perplexity: 64 }, 'tokenizer'),
    cell('one', 0, { usage: 1 / 8192, perplexity: 1 }, 'tokenizer'),
    cell('unmeasured', 0, { psnr: 20 }, 'tokenizer'),
  ];
  const inputs = {
    [cells[0].input]: counting(Array<number>(64).fill(1)),
    [cells[1].input]: counting([64]),
    [cells[2].input]: counting([64]),
  };
  t.deepEqual(await warningsOf(tableOf(cells), cells, inputs), [
    {
      variants: ['one'],
      text: 'The codebook of one has collapsed: test images use 1 of 8,192 codes, with a perplexity of 1.0 (below 10 % of what 64 tokens can use, or a perplexity below 5 % of it)',
    },
  ]);
  const facts = await readFacts(tableOf(cells), cells, inputs);
  t.deepEqual(
    facts.filter((fact) => fact.startsWith('Codes')),
    ['Codes of each, one: counted on 64 tokens, which can use 64 of 8,192 at most'],
  );
});
