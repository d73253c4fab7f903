import test from 'ava';
import fc from 'fast-check';
import { resolveGraph } from '../../framework/plan/graph.ts';
import {
  ablationTable,
  type Component,
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
import { findProblems } from '../support/refused.ts';

const tokenizer = { width: 16, codebook: { size: 32, dim: 8 }, steps: 20, batchSize: 16 } as const;
const backbone = vit({ dim: 32, depth: 2, heads: 2, patch: 8 });
const network = vgg({ width: 8, blocks: 2, steps: 20, batchSize: 16 });

const experiment = defineExperiment({
  name: 'odd',
  seeds: [0],
  data: {
    train: fashionMnist({ split: 'train', range: [0, 400] }),
    test: fashionMnist({ split: 'test', range: [0, 100] }),
  },
  tokenizers: {
    beit: dvae(tokenizer),
    peco: vqvae({ ...tokenizer, loss: { perceptual: { network, layers: ['relu1_1'] } } }),
    inception: vqvae({ ...tokenizer, loss: { perceptual: { network: inception({}), layers: ['mixed0'] } } }),
  },
  evaluation: tokenizerEvaluation({ probeLabels: 100 }),
  pretraining: { base: maskedImageModelling({ backbone, steps: 20, batchSize: 16 }) },
  downstream: {
    finetune: fineTune({ labels: 100, steps: 20, batchSize: 16 }),
    probe: linearProbe({ layer: 2, labels: 100 }),
  },
  scratch: { downstream: { probe: linearProbe({ backbone, layer: 2, labels: 100 }) } },
  baseline: 'beit',
  report: ablationTable({}),
});

/** Paths of all fields that a component's config has, with those above them. */
function fieldsOf(config: unknown, path: string): string[] {
  if (typeof config !== 'object' || config === null) return [path];
  return [path, ...Object.entries(config).flatMap(([key, value]) => fieldsOf(value, `${path}.${key}`))];
}

const named = (group: string, components: { readonly [name: string]: Component | undefined }) =>
  Object.entries(components).flatMap(([name, one]) => fieldsOf(one!.config, `${group}.${name}`));

const paths = [
  ...named('data', experiment.data),
  ...named('tokenizers', experiment.tokenizers),
  ...fieldsOf(network.config, 'tokenizers.peco.loss.perceptual.network'),
  ...fieldsOf(inception({}).config, 'tokenizers.inception.loss.perceptual.network'),
  ...named('pretraining', experiment.pretraining),
  ...named('downstream', experiment.downstream),
  ...named('scratch.downstream', experiment.scratch.downstream),
  ...fieldsOf(experiment.evaluation.config, 'evaluation'),
  ...fieldsOf(experiment.report.config, 'report'),
  'data.train.root',
  'name',
  'seeds',
  'seeds.0',
  'baseline',
  'sweep',
];

/** Values that hardly any field is made for. */
const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    0,
    -1,
    0.5,
    1,
    1e9,
    1e300,
    5e-324,
    -0,
    Number.MAX_SAFE_INTEGER,
    2 ** 53,
    '',
    ' ',
    'NaN',
    '1',
    '[',
    '\u0000',
    '../..',
    '__proto__',
    null,
    true,
    [],
    {},
    [[]],
    [null],
    { kind: 'vit' },
    { length: 3 },
    ['relu1_1', 'relu1_1'],
  ),
  fc.jsonValue(),
  fc.integer(),
  fc.double(),
);

/** Those that only a file can give. */
const odder: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    undefined,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    10n,
    Symbol('odd'),
    new Date(0),
    new Map(),
    () => 3,
    network,
    experiment,
    Object.create(null),
  ),
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
);

/** What loading and planning do, without files and bundles: issues that a user can be shown, or a graph. */
function outcome(
  changed: typeof experiment,
  changes: Parameters<typeof findProblems>[1] = {},
): 'refused' | 'planned' {
  const problems = findProblems(changed, changes);
  for (const { message, path } of problems) {
    if (message === '' || /\n\s+at |TypeError|undefined is not|Cannot read/.test(message))
      throw new Error(`not fit for a user: ${path.join('.')}: ${message}`);
  }
  if (problems.length > 0) return 'refused';
  // With `--set` the graph is that of another experiment; that it is valid is enough here.
  if (changes.set === undefined && changes.sweep === undefined) resolveGraph(changed);
  return 'planned';
}

test('any field set to any JSON is refused or planned, by --set as in a sweep', (t) => {
  const seen = { refused: 0, planned: 0 };
  fc.assert(
    fc.property(fc.constantFrom(...paths), odd, fc.boolean(), (path, value, swept) => {
      const text = `${path}=${JSON.stringify(value)}`;
      seen[outcome(experiment, swept ? { sweep: [text] } : { set: [text] })]++;
    }),
    { numRuns: 1500 },
  );
  // Both happen often, or this test says nothing.
  t.true(seen.refused > 300 && seen.planned > 30, JSON.stringify(seen));
});

const constructors: { readonly [kind: string]: readonly [(input: never) => Component, object] } = {
  fashionMnist: [fashionMnist, { split: 'train', range: [0, 400], size: 32 }],
  dvae: [dvae, { ...tokenizer, loss: { pixel: 1 }, temperature: { from: 1, to: 0.1 } }],
  vqvae: [vqvae, { ...tokenizer, loss: { perceptual: { network, layers: ['relu1_1'] } } }],
  vgg: [vgg, { width: 8, blocks: 2, convsPerBlock: [1, 2], warmup: 1 }],
  inception: [inception, { upsample: 2, interpolation: 'nearest' }],
  tokenizerEvaluation: [tokenizerEvaluation, { images: 10, probeLabels: 10, pictures: 2 }],
  maskedImageModelling: [maskedImageModelling, { backbone, steps: 20, warmup: 1, minLearningRate: 0 }],
  fineTune: [fineTune, { backbone, labels: 100, steps: 20, layerDecay: 1 }],
  linearProbe: [linearProbe, { backbone, layer: 1, labels: 100, l2: 'auto' }],
  ablationTable: [ablationTable, { published: false, columns: [{ metric: 'psnr', label: 'PSNR' }] }],
};

for (const [kind, [construct, valid]] of Object.entries(constructors)) {
  test(`${kind} takes anything without throwing: its issues, and what it expects, are plain`, (t) => {
    t.deepEqual(construct(valid as never).issues, []);
    const facts = { train: { name: 'data.train', facts: experiment.data.train.provides! } };
    const input = fc.oneof(
      odder,
      fc
        .tuple(fc.constantFrom(...Object.keys(valid)), odder)
        .map(([key, value]) => ({ ...valid, [key]: value })),
    );
    fc.assert(
      fc.property(input, (given) => {
        const component = construct(given as never);
        component.expects?.(facts);
        for (const { message } of component.issues)
          t.notRegex(message, /TypeError|Cannot read|undefined is not|\n/);
      }),
      { numRuns: 200 },
    );
  });
}
