import test from 'ava';
import fc from 'fast-check';
import { z } from 'zod';
import { product } from '../../../framework/experiment/changes/sweep.ts';
import { defineExperiment } from '../../../framework/experiment/define.ts';
import type { Experiment } from '../../../framework/experiment/types.ts';
import { resolveGraph } from '../../../framework/plan/graph.ts';
import type { Edges, StageGraph, StageNode } from '../../../framework/plan/types.ts';
import type { Component, Role } from '../../../framework/stage/component.ts';
import { component, defineComponent } from '../../../framework/stage/define.ts';

const run = 'file:///stage.ts';
const seed = z.int().nonnegative().optional();

function plain<R extends Role>(role: R, options: { readonly run?: string } = { run }) {
  const schema = z.strictObject({ name: z.string().default('') });
  return defineComponent({ role, kind: role, schema, load: 'file:///load.ts', ...options });
}

const network = defineComponent({
  role: 'network',
  kind: 'vgg',
  schema: z.strictObject({ width: z.int().default(8), seed }),
  run,
});
const tokenizerSchema = z.strictObject({
  name: z.string(),
  network: component('network').optional(),
  seed,
});
const withNetwork = { schema: tokenizerSchema, inputs: inputsOf };
const tokenizer = defineComponent({ role: 'tokenizer', kind: 'vqvae', ...withNetwork, run });
/** Weights that came from elsewhere. */
const weights = defineComponent({
  role: 'tokenizer',
  kind: 'weights',
  ...withNetwork,
  load: 'file:///load.ts',
});

function inputsOf(input: { readonly network?: Component | undefined }) {
  return { network: input.network };
}

type Tokenizers = { readonly [name: string]: Component<'tokenizer'> };

function experimentOf(tokenizers: Tokenizers, options: Partial<Experiment> = {}): Experiment {
  return defineExperiment({
    name: 'replicates',
    seeds: [0, 1],
    data: { train: plain('dataset', {})({ name: 'train' }), test: plain('dataset', {})({ name: 'test' }) },
    tokenizers,
    evaluation: plain('evaluation')({}),
    pretraining: { base: plain('pretraining')({}) },
    downstream: { probe: plain('downstream')({}) },
    baseline: Object.keys(tokenizers)[0]!,
    report: plain('report')({}),
    ...options,
  } as never) as unknown as Experiment;
}

function graphOf(tokenizers: Tokenizers, options: Partial<Experiment> = {}): StageGraph {
  return resolveGraph(experimentOf(tokenizers, options));
}

function stagesIn(edges: Edges): StageNode[] {
  return Object.values(edges).flatMap((edge) =>
    edge.type === 'stage' ? [edge.stage] : stagesIn(edge.inputs),
  );
}

/** `id (seed) <- ids of the stages that it reads`, without the report. */
function drawn({ stages }: StageGraph): string[] {
  return stages
    .filter(({ id }) => id !== 'report')
    .map((node) => {
      const needs = stagesIn(node.inputs).map(({ id }) => id);
      return `${node.id} (${node.seed})${needs.length > 0 ? ` <- ${needs.join(', ')}` : ''}`;
    })
    .sort();
}

const cellsOf = ({ cells }: StageGraph) =>
  cells.map(({ variant, task, seed: of, stage }) => `${variant} ${task} ${of}: ${stage.id}`);

const sharedOf = ({ stages }: StageGraph) =>
  (stages.at(-1)!.component.config.table as { readonly shared?: unknown }).shared;

test('by default a network, its tokenizer and what comes after it run once per seed', (t) => {
  const graph = graphOf({ peco: tokenizer({ name: 'peco', network: network({}) }) }, { seeds: [0, 5] });
  t.deepEqual(drawn(graph), [
    'downstream/peco/probe/seed-0 (0) <- pretraining/peco/base/seed-0',
    'downstream/peco/probe/seed-5 (5) <- pretraining/peco/base/seed-5',
    'evaluation/peco/seed-0 (0) <- tokenizer/peco/seed-0',
    'evaluation/peco/seed-5 (5) <- tokenizer/peco/seed-5',
    'network/vgg/seed-0 (0)',
    'network/vgg/seed-5 (5)',
    'pretraining/peco/base/seed-0 (0) <- tokenizer/peco/seed-0',
    'pretraining/peco/base/seed-5 (5) <- tokenizer/peco/seed-5',
    'tokenizer/peco/seed-0 (0) <- network/vgg/seed-0',
    'tokenizer/peco/seed-5 (5) <- network/vgg/seed-5',
  ]);
  t.deepEqual(cellsOf(graph), [
    'peco tokenizer 0: evaluation/peco/seed-0',
    'peco tokenizer 5: evaluation/peco/seed-5',
    'peco probe 0: downstream/peco/probe/seed-0',
    'peco probe 5: downstream/peco/probe/seed-5',
  ]);
  t.is(sharedOf(graph), undefined);
});

test('a tokenizer whose config has a seed is made once, with its network and its measures', (t) => {
  const graph = graphOf({ peco: tokenizer({ name: 'peco', network: network({}), seed: 7 }) });
  t.deepEqual(drawn(graph), [
    'downstream/peco/probe/seed-0 (0) <- pretraining/peco/base/seed-0',
    'downstream/peco/probe/seed-1 (1) <- pretraining/peco/base/seed-1',
    'evaluation/peco (7) <- tokenizer/peco',
    'network/vgg/seed-7 (7)',
    'pretraining/peco/base/seed-0 (0) <- tokenizer/peco',
    'pretraining/peco/base/seed-1 (1) <- tokenizer/peco',
    'tokenizer/peco (7) <- network/vgg/seed-7',
  ]);
  t.deepEqual(cellsOf(graph).slice(0, 1), ['peco tokenizer 7: evaluation/peco']);
  t.deepEqual(sharedOf(graph), [
    { variant: 'peco', task: 'probe', stages: ['tokenizer/peco', 'network/vgg/seed-7'] },
  ]);
});

test('a network whose config has a seed serves the tokenizers of all seeds', (t) => {
  const graph = graphOf({ peco: tokenizer({ name: 'peco', network: network({ seed: 0 }) }) });
  t.deepEqual(drawn(graph).slice(4), [
    'network/vgg (0)',
    'pretraining/peco/base/seed-0 (0) <- tokenizer/peco/seed-0',
    'pretraining/peco/base/seed-1 (1) <- tokenizer/peco/seed-1',
    'tokenizer/peco/seed-0 (0) <- network/vgg',
    'tokenizer/peco/seed-1 (1) <- network/vgg',
  ]);
  t.deepEqual(sharedOf(graph), [
    { variant: 'peco', task: 'tokenizer', stages: ['network/vgg'] },
    { variant: 'peco', task: 'probe', stages: ['network/vgg'] },
  ]);
});

test('with one seed nothing is said to be shared', (t) => {
  const peco = tokenizer({ name: 'peco', network: network({ seed: 3 }), seed: 0 });
  t.is(sharedOf(graphOf({ peco }, { seeds: [4] })), undefined);
});

test('weights from elsewhere have one evaluation, unless a network in them is trained', (t) => {
  const evaluations = (given: Component<'tokenizer'>) =>
    drawn(graphOf({ given })).filter((line) => line.startsWith('evaluation'));
  t.deepEqual(evaluations(weights({ name: 'dall-e' })), ['evaluation/given (0)']);
  t.deepEqual(evaluations(weights({ name: 'dall-e', network: network({}) })), [
    'evaluation/given/seed-0 (0) <- network/vgg/seed-0',
    'evaluation/given/seed-1 (1) <- network/vgg/seed-1',
  ]);
});

test('a row whose tokenizer has the seed of the experiment shares its stages with the row of all seeds', (t) => {
  const graph = graphOf({
    every: tokenizer({ name: 'same', network: network({}) }),
    second: tokenizer({ name: 'same', network: network({ seed: 1 }), seed: 1 }),
  });
  const tokenizers = graph.stages.filter(({ component: { role } }) => role === 'tokenizer');
  t.deepEqual(
    tokenizers.map(({ id }) => id),
    ['tokenizer/every/seed-0', 'tokenizer/every/seed-1'],
  );
  t.is(graph.aliases.get('tokenizer/second'), tokenizers[1]);
  t.deepEqual(
    cellsOf(graph).filter((line) => line.startsWith('second')),
    [
      'second tokenizer 1: evaluation/every/seed-1',
      'second probe 0: downstream/second/probe/seed-0',
      'second probe 1: downstream/every/probe/seed-1',
    ],
  );
});

test('the stages of all seeds have one name, and another network has another', (t) => {
  const of = (width: number) => tokenizer({ name: `of ${width}`, network: network({ width }) });
  const shared = tokenizer({ name: 'shared', network: network({ width: 3 }), seed: 1 });
  const graph = graphOf({ shared, a: of(1), b: of(2), c: of(1), d: of(3) });
  const networks = graph.stages.filter(({ component: { role } }) => role === 'network');
  t.deepEqual(networks.map(({ id, component: { config } }) => `${id} width ${config.width}`).sort(), [
    'network/vgg-2/seed-0 width 1',
    'network/vgg-2/seed-1 width 1',
    'network/vgg-3/seed-0 width 2',
    'network/vgg-3/seed-1 width 2',
    'network/vgg/seed-0 width 3',
    'network/vgg/seed-1 width 3',
  ]);
});

test('a network that is called as a second one would be has another name', (t) => {
  const odd = defineComponent({ role: 'network', kind: 'vgg-2', schema: z.strictObject({}), run })({});
  const nets = [
    network({ width: 1 }),
    odd,
    network({ width: 2 }),
    network({ width: 3 }),
    network({ width: 1 }),
  ];
  const tokenizers = nets.map((net, index) => [`t${index}`, tokenizer({ name: `t${index}`, network: net })]);
  const graph = graphOf(Object.fromEntries(tokenizers), { seeds: [0] });
  t.deepEqual(
    graph.stages
      .filter(({ component: { role } }) => role === 'network')
      .map(({ id, component: { config } }) => `${id} ${config.width ?? 'odd'}`),
    ['network/vgg/seed-0 1', 'network/vgg-2/seed-0 odd', 'network/vgg-3/seed-0 2', 'network/vgg-4/seed-0 3'],
  );
});

test('a sweep over the seed of a tokenizer makes a row for each, all of whose seeds share it', (t) => {
  const graph = graphOf(
    { pixel: tokenizer({ name: 'pixel' }), peco: tokenizer({ name: 'peco' }) },
    { sweep: product({ 'tokenizers.peco.seed': [0, 4] }) },
  );
  t.deepEqual(graph.variants, ['pixel', 'peco@seed=0', 'peco@seed=4']);
  t.deepEqual(
    drawn(graph).filter((line) => line.startsWith('tokenizer')),
    [
      'tokenizer/peco@seed=0 (0)',
      'tokenizer/peco@seed=4 (4)',
      'tokenizer/pixel/seed-0 (0)',
      'tokenizer/pixel/seed-1 (1)',
    ],
  );
  t.deepEqual(sharedOf(graph), [
    { variant: 'peco@seed=0', task: 'probe', stages: ['tokenizer/peco@seed=0'] },
    { variant: 'peco@seed=4', task: 'probe', stages: ['tokenizer/peco@seed=4'] },
  ]);
});

test('a tokenizer with another idea of a seed runs once per seed, and its config stays as it is', (t) => {
  const words = defineComponent({
    role: 'tokenizer',
    kind: 'words',
    schema: z.strictObject({ seed: z.string().optional() }),
    run,
  });
  const none = defineComponent({ role: 'tokenizer', kind: 'none', schema: z.strictObject({}), run });
  const configs = ({ stages }: StageGraph) =>
    stages
      .filter(({ component: { role } }) => role === 'tokenizer')
      .map(({ id, component: { config } }) => `${id} ${JSON.stringify(config)}`);
  t.deepEqual(configs(graphOf({ a: words({ seed: 'pea' }), b: words({}), c: none({}) })), [
    'tokenizer/a/seed-0 {"seed":"pea"}',
    'tokenizer/a/seed-1 {"seed":"pea"}',
    'tokenizer/b/seed-0 {}',
    'tokenizer/b/seed-1 {}',
    'tokenizer/c/seed-0 {}',
    'tokenizer/c/seed-1 {}',
  ]);
});

test('stages, and those that use their results, see the seed in the config, wherever it comes from', (t) => {
  const peco = tokenizer({ name: 'peco', network: network({}) });
  const { stages } = graphOf({ peco, fixed: tokenizer({ name: 'fixed', seed: 3 }) });
  for (const { component: made, seed: of } of stages)
    if (made.role === 'tokenizer' || made.role === 'network') t.is(made.config.seed, of);
});

test('an evaluation that draws by a seed of its own still measures the tokenizer of each seed', (t) => {
  const evaluation = defineComponent({
    role: 'evaluation',
    kind: 'measures',
    schema: z.strictObject({ seed: z.int().default(3) }),
    run,
  })({});
  const graph = graphOf({ peco: tokenizer({ name: 'peco' }) }, { evaluation });
  t.deepEqual(
    drawn(graph).filter((line) => line.startsWith('evaluation')),
    [
      'evaluation/peco/seed-0 (3) <- tokenizer/peco/seed-0',
      'evaluation/peco/seed-1 (3) <- tokenizer/peco/seed-1',
    ],
  );
  t.deepEqual(cellsOf(graph).slice(0, 2), [
    'peco tokenizer 0: evaluation/peco/seed-0',
    'peco tokenizer 1: evaluation/peco/seed-1',
  ]);
});

const seedOrNone = fc.option(fc.nat(3), { nil: undefined });
const anyTokenizer = fc
  .record({
    width: fc.nat(1),
    netSeed: seedOrNone,
    hasNetwork: fc.boolean(),
    ownSeed: seedOrNone,
    leaf: fc.boolean(),
  })
  .map(({ width, netSeed, hasNetwork, ownSeed, leaf }) => {
    const net = network({ width, ...(netSeed === undefined ? {} : { seed: netSeed }) });
    return (leaf ? weights : tokenizer)({
      name: `${width}`,
      ...(hasNetwork ? { network: net } : {}),
      ...(ownSeed === undefined ? {} : { seed: ownSeed }),
    });
  });
const anySeeds = fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 });

/** Everything that a stage is made of. */
function chainOf(node: StageNode): Set<StageNode> {
  const found = new Set<StageNode>();
  const visit = (one: StageNode): void => {
    found.add(one);
    for (const above of stagesIn(one.inputs)) visit(above);
  };
  visit(node);
  return found;
}

test('property: whatever is shared, chains keep to their seeds, and the table says which stages are shared', (t) => {
  fc.assert(
    fc.property(anySeeds, fc.array(anyTokenizer, { minLength: 1, maxLength: 3 }), (seeds, list) => {
      const tokenizers = Object.fromEntries(list.map((one, index) => [`row${index}`, one]));
      const graph = graphOf(tokenizers, { seeds });
      const ids = graph.stages.map(({ id }) => id);
      t.is(new Set(ids).size, ids.length);
      for (const { stage, seed: of, task } of graph.cells) {
        t.true(task === 'tokenizer' || stage.seed === of);
        for (const node of chainOf(stage)) {
          const { role } = node.component;
          // Of an own seed, or else of what uses it: the network in a shared tokenizer has that one's.
          if (role === 'pretraining') t.is(node.seed, of);
          if (role === 'tokenizer' || role === 'network') {
            const named = list.flatMap((one) => [one.config.seed, one.inputs.network?.config.seed]);
            t.true(node.seed === of || named.includes(node.seed) || node.seed === 0);
            t.true(!/\/seed-\d+$/.test(node.id) || node.id.endsWith(`/seed-${node.seed}`));
          }
        }
      }
      t.deepEqual(sharedOf(graph) ?? [], sharedByHand(graph));
    }),
  );
});

/** By the ids in the chains alone. */
function sharedByHand({ cells }: StageGraph) {
  const names = [...new Set(cells.map(({ variant, task }) => `${variant} ${task}`))];
  return names.flatMap((name) => {
    const chains = cells
      .filter(({ variant, task }) => `${variant} ${task}` === name)
      .map(({ stage }) =>
        [...chainOf(stage)].map(({ id }) => id).filter((id) => /^(tokenizer|network)\//.test(id)),
      );
    const [first = [], ...others] = chains;
    const stages = first.filter((id) => others.every((chain) => chain.includes(id)));
    const [variant, task] = name.split(' ');
    return others.length === 0 || stages.length === 0 ? [] : [{ variant, task, stages }];
  });
}
